"""`cpo charge-points meter-key`: whose signatures of meter values are believed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import print_json
from cpo_app.cli.with_backend import on_backend
from db_interface.transaction import Tx
from domain.charge_points.charge_points import canonical_id
from domain.metering import meter_keys
from domain.metering.public_keys import MeterKeyError


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
    data_dir: DataDir = None,
) -> None:
    """The public keys of a charge point's meters, as JSON; put one down, or forget it."""
    if given is not None and remove:
        raise CliError("--set or --remove, not both")
    text = None if given is None else _read(given)

    async def work(backend: Backend) -> list[meter_keys.MeterKey]:
        async def change(tx: Tx) -> list[meter_keys.MeterKey]:
            known = await canonical_id(tx, cp_id)
            if known is None:
                raise CliError(f"{cp_id}: no such charge point")
            if text is not None:
                await meter_keys.set_key(tx, known, connector, text)
            elif remove and not await meter_keys.remove_key(tx, known, connector):
                raise CliError(f"{known}: no key is kept for this meter")
            return await meter_keys.keys_of(tx, known, connector)

        return await backend.store.transact(change)

    try:
        kept = on_backend(work, data_dir)
    except MeterKeyError as error:
        raise CliError(f"--set: {error}") from error
    names = ("cp_id", "connector_id", "public_key", "set_at")
    print_json([{name: dict(key)[name] for name in names} for key in kept])


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
