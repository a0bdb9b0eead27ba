"""What `cpo up` says once everything answers: what runs where, and what to try."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from cpo_app.bootstrap import ADMIN_PASSWORD_FILE
from cpo_app.settings import Settings


def panel(
    settings: Settings, base: str, registry: str, charge_points: int, link: str | None = None
) -> str:
    """Never wrapped, so that every line can be pasted. `link`: what signs the operator in, once,
    at the first start; only then his password is shown."""
    cpo = Path(sys.executable).with_name("cpo")
    with contextlib.suppress(ValueError):
        cpo = cpo.relative_to(Path.cwd())
    data_dir = settings.CPO_DATA_DIR
    default = Settings.__fields__["CPO_DATA_DIR"].default
    where = "" if data_dir == default else f" --data-dir {data_dir}"
    invite = f"{cpo} peers invite --name Me --only-token{where}"
    versions_url = settings.versions_url
    approves = os.environ.get("CPO_APPROVE_PEERS", "true").lower() in ("true", "1")
    peers = "who registers is taken at its word (CPO_APPROVE_PEERS=true; cpo serve asks you)"
    if not approves:
        peers = "parties that an invitation does not name wait for cpo peers approve"
    password_file = data_dir / ADMIN_PASSWORD_FILE
    by_setting = "CPO_ADMIN_PASSWORD" in os.environ
    password = f"password {'CPO_ADMIN_PASSWORD' if by_setting else f'in {password_file}'}"
    sign_in = ""
    if link is not None:
        password = f"password {settings.CPO_ADMIN_PASSWORD}"
        sign_in = f"""
                now and once: {base}/login/once/{link}
                the password is kept in {password_file}"""
    rule = "\u2500" * 78
    return f"""
{rule}
 OCPI CPO backend is up; Ctrl-C stops it.

 Console        {base}/   user admin, {password}{sign_in}
 OCPI           {versions_url}
                docs: {base}/{settings.OCPI_PREFIX}/docs
 Peers          {peers}
 EV_Registry    {registry}/   docs: {registry}/docs
 Charge points  {charge_points} simulated
                over OCPP: {settings.ocpp_url}   {cpo} charge-points add ID --ocpp{where}
 Data           {data_dir.absolute()}

 Invite an eMSP and play it, in another terminal:
   {invite} | {cpo} emsp --versions-url {versions_url} --token -

 Or with curl:
   curl {registry}/cp
   curl -u "admin:$(cat {password_file})" {base}/cp
   curl -H "Authorization: Token $({invite} | tr -d '\\n' | base64 -w0)" {versions_url}
{rule}
"""
