"""`cpo charge-points --ocpp 1.6 --count N`: simulated charge points that speak OCPP, as many.

They are added to the store as the operator would, each with a new password at every start; those of
another CPO (`--url`, `--password`) have been added there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from auth.charge_point_credentials import CredentialHashes
from cpo_app import logs
from cpo_app.backend import Backend
from cpo_app.charge_point.journal import JournalInUse
from cpo_app.charge_point.ocpp import fleet
from cpo_app.charge_point.ocpp.keeping import Access, Keeping
from cpo_app.cli.errors import CliError
from cpo_app.cli.fleet import DEMO_CARDS, SITES
from cpo_app.cli.options import settings_for
from cpo_app.cli.output import note
from cpo_app.cli.signals import until_signalled
from cpo_app.cli.simulated import DEMO_SPEED, ocpp_charge_point_ids
from cpo_app.cli.with_backend import on_backend
from db_interface.transaction import Tx
from domain.ocpp.adding import AlreadyAdded, add_station, set_password
from domain.secrets import new_token

AT_ONCE = 50
"""So many are added in one transaction."""
_CONNECTS_PER_S = 200.0
_FILES_BESIDE = 200


@dataclass(frozen=True)
class Wanted:
    version: fleet.Version
    count: int
    evses: int = 1
    url: str | None = None
    password: str | None = None
    demo: bool = False
    state_dir: Path | None = None
    sample_s: int = 10
    data_dir: Path | None = None


def simulate(wanted: Wanted) -> None:
    """Run them until SIGINT or SIGTERM. Raises CliError."""
    settings = settings_for(wanted.data_dir)
    logs.set_up(settings.CPO_LOG_LEVEL, settings.CPO_LOG_FORMAT)
    ids = ocpp_charge_point_ids(wanted.version, wanted.count)
    if wanted.url is None:
        url = f"ws://127.0.0.1:{settings.CPO_OCPP_PORT}/ocpp"
        passwords = on_backend(lambda backend: added(backend, ids), wanted.data_dir)
        logs.set_up(settings.CPO_LOG_LEVEL, settings.CPO_LOG_FORMAT)
    elif wanted.password is None:
        raise CliError("--url needs --password: what that CPO gave these charge points")
    else:
        url, passwords = wanted.url, [wanted.password] * wanted.count
    _demand_files(wanted.count)
    asyncio.run(until_signalled(_run(wanted, url, ids, passwords)))


async def _run(wanted: Wanted, url: str, ids: Sequence[str], passwords: Sequence[str]) -> None:
    try:
        boxes = [
            box_of(wanted, number, station_id, Access(url, password))
            for number, (station_id, password) in enumerate(zip(ids, passwords, strict=True))
        ]
    except (OSError, ValueError, JournalInUse) as error:
        raise CliError(f"charge points cannot be simulated: {error}") from error
    note(f"{len(boxes)} charge points, {ids[0]} on, speak OCPP {wanted.version} to {url}")
    cards = DEMO_CARDS if wanted.demo else ()
    await fleet.run(boxes, cards, spread_s=len(boxes) / _CONNECTS_PER_S)


def box_of(wanted: Wanted, number: int, station_id: str, access: Access) -> Keeping:
    _, power, kind = SITES[number % len(SITES)]
    made = fleet.hardware(float(power.removesuffix("kW")), kind, wanted.evses)
    if wanted.demo:
        made = replace(made, speed=DEMO_SPEED)
    box = fleet.Box(station_id, wanted.version, access, made, wanted.state_dir)
    keeping = fleet.build(box)
    keeping.station.configuration.values.setdefault(
        "MeterValueSampleInterval", str(wanted.sample_s)
    )
    return keeping


async def added(backend: Backend, ids: Sequence[str]) -> list[str]:
    """The password of each, new; those that are not there yet are added."""
    settings = backend.settings
    hashes = CredentialHashes(*settings.encryption_keys, *settings.registry_secrets)
    passwords = [new_token() for _ in ids]

    async def add(tx: Tx, first: int) -> None:
        for number in range(first, min(first + AT_ONCE, len(ids))):
            await _add(tx, backend, ids[number], number, hashes.of(passwords[number])[0])

    for first in range(0, len(ids), AT_ONCE):
        await backend.store.transact(lambda tx, first=first: add(tx, first))  # type: ignore[misc]
    return passwords


async def _add(tx: Tx, backend: Backend, station_id: str, number: int, digest: str) -> None:
    location, power, kind = SITES[number % len(SITES)]
    try:
        await add_station(
            tx,
            station_id,
            party=backend.settings.parties[0],
            location=location,
            metadata={"power_rating": power, "type": kind},
            password_hash=digest,
        )
    except AlreadyAdded:
        await set_password(tx, station_id, digest)


def _demand_files(count: int) -> None:
    """Each connection is an open file."""
    import resource  # not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + _FILES_BESIDE
    if soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise CliError(f"{count} connections need {needed} open files; the limit is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
