"""`cpo charge-points meter-key`: whose signatures of meter values are believed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cpo_app.actions.charge_points import REMOVE_METER_KEY, SET_METER_KEY, shown_keys
from cpo_app.backend import Backend
from cpo_app.cli.acting import act
from cpo_app.cli.agreement import Yes
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import print_json
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.charge_points.charge_points import canonical_id
from domain.metering import meter_keys


def meter_key(
    cp_id: Annotated[str, typer.Argument(metavar="CP_ID")],
    connector: Annotated[
        str | None,
        typer.Option(help="Of this connector's meter; without it, of all that have none."),
    ] = None,
    given: Annotated[
        str | None,
        typer.Option("--set", metavar="FILE|HEX|BASE64", help="The public key: PEM or DER."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Forget it.")] = False,
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    """The public keys of a charge point's meters, as JSON; put one down, or forget it."""
    if given is not None and remove:
        raise CliError("--set or --remove, not both")
    text = None if given is None else _read(given)

    if text is not None:
        meter = {"cp_id": cp_id, "connector_id": connector, "public_key": text}
        print_json(act(SET_METER_KEY, meter, data_dir)["keys"])
    elif remove:
        meter = {"cp_id": cp_id, "connector_id": connector}
        print_json(act(REMOVE_METER_KEY, meter, data_dir, yes=yes)["keys"])
    else:
        print_json(_kept(cp_id, connector, data_dir))


def _kept(cp_id: str, connector: str | None, data_dir: Path | None) -> list[JsonObject]:
    async def work(backend: Backend) -> list[JsonObject]:
        known = await canonical_id(backend.db, cp_id)
        if known is None:
            raise CliError(f"{cp_id}: no such charge point")
        return shown_keys(await meter_keys.keys_of(backend.db, known, connector))

    return on_backend(work, data_dir)


def _read(given: str) -> str:
    """A key may be given itself, or as a file that holds it (PEM, DER, hex or base64)."""
    try:
        raw = Path(given).read_bytes()
    except (OSError, ValueError):
        return given
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        return raw.hex()
