"""`cpo charge-points certificates`, `install-certificate`, `delete-certificate`, `new-authority`:
what charge points with OCPP trust, and a CA that signs their own certificates.
"""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from auth.station_authority import new_authority
from cpo_app.actions import ocpp_certificates as actions
from cpo_app.cli.acting import act, act_and_say, words
from cpo_app.cli.agreement import Yes
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.tables import print_table

CpId = Annotated[str, typer.Argument(metavar="CP_ID")]


def certificates(
    cp_id: CpId,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = None,
) -> None:
    rows = act(actions.CERTIFICATES, {"cp_id": cp_id}, data_dir)["certificates"]
    if as_json:
        print_json(rows)
        return
    names = ("use", "serialNumber", "hashAlgorithm", "issuerNameHash")
    print_table(
        ("Use", "Serial number", "Hash", "Issuer's name"),
        (tuple(row.get(name) for name in names) for row in rows),
    )


def install_certificate(
    cp_id: CpId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="PEM.", dir_okay=False)],
    use: Annotated[str, typer.Option(help=", ".join(actions.USES))] = "central",
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    try:
        content = file.read_text()
    except (OSError, UnicodeDecodeError):
        raise CliError(f"{file}: no such file, or no text") from None
    given = {"cp_id": cp_id, "use": use, "certificate": content}
    act_and_say(actions.INSTALL_CERTIFICATE, given, data_dir, cp_id, yes=yes)


def delete_certificate(
    cp_id: CpId,
    serial_number: Annotated[str, typer.Argument(metavar="SERIAL")],
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    given = {"cp_id": cp_id, "serial_number": serial_number}
    act_and_say(actions.DELETE_CERTIFICATE, given, data_dir, cp_id, yes=yes)


def authority(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to put both files.")],
    name: Annotated[str, typer.Option(help="Its common name.")] = "Charging stations",
    days: Annotated[int, typer.Option(min=30, max=36500, help="For so long it is good.")] = 3650,
) -> None:
    """Make a CA that signs the certificates of charge points with OCPP (security profile 3)."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate_file, key_file = folder / "stations-ca.pem", folder / "stations-ca.key"
    there = [str(file) for file in (certificate_file, key_file) if file.exists()]
    if there:
        raise CliError(f"{there[0]} is there already")
    certificate, key = new_authority(name, datetime.now(timezone.utc), days)
    with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key)
    certificate_file.write_text(certificate)
    note("set these for `cpo ocpp`, and keep the key where nobody else reads it:")
    print(f"CPO_OCPP_CA_CERT_FILE={certificate_file.resolve()}")
    print(f"CPO_OCPP_CA_KEY_FILE={key_file.resolve()}")


def add_to(app: typer.Typer) -> None:
    """Put these onto `cpo charge-points`."""
    app.command("certificates", help=words(actions.CERTIFICATES))(certificates)
    app.command("install-certificate", help=words(actions.INSTALL_CERTIFICATE))(install_certificate)
    app.command("delete-certificate", help=words(actions.DELETE_CERTIFICATE))(delete_certificate)
    app.command("new-authority")(authority)
