"""Writing beside readers: totals stay exact, and a change costs what it costs in a small store."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial

from bench import cpo, locations
from bench.million.side import LIST, Scale, Side, answered
from bench.million.turns import Both, compared
from cpo_app.settings import Party
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject
from db_interface.transaction import Tx
from domain.charge_points import registrations
from domain.charge_points.charge_point_events import Heartbeat, StateReported
from domain.charge_points.charge_points import apply
from domain.charge_points.evse_states import ConnectorState
from domain.charge_points.registrations import Application, Proof
from domain.objects.locations import owned_location
from domain.outbox.publishing import publish_all
from domain.places import geonames

PARTY = Party("NL", "BEN", "Bench Charging")
_CHARGE_POINTS = 10
_AWAY_FROM_ALL = 10_000_000
"""Numbers of locations that are in no store yet."""


async def counted_exactly(side: Side, scale: Scale) -> dict[str, float]:
    """How often X-Total-Count, asked for beside a writer, was none that can be: fewer than were
    kept before the request, or more than were begun by its end."""
    db = side.ground.connect()
    store = DbInterface(db)
    kept = begun = wrong = answers = 0
    before = await _total(side)

    async def write() -> None:
        nonlocal kept, begun
        for number in range(scale.written):
            obj = owned_location(locations.location(_AWAY_FROM_ALL + number))
            begun += 1
            await store.transact(partial(_published, obj))
            kept += 1

    writing = asyncio.create_task(write())
    async with side.client() as client:
        while not writing.done():
            least = kept
            answer = await answered(client, f"{LIST}?limit=1")
            total = int(answer.headers["x-total-count"]) - before
            answers += 1
            wrong += not least <= total <= begun
    await writing
    wrong += await _total(side) != before + kept
    db.close()
    return {"totals_asked_for": answers, "wrong_totals": wrong}


async def _published(obj: OwnedObject, tx: Tx) -> None:
    await publish_all(tx.store, "locations", [obj], tx)


async def _total(side: Side) -> int:
    async with side.client() as client:
        answer = await answered(client, f"{LIST}?limit=1")
    return int(answer.headers["x-total-count"])


async def status_changes(both: Both, scale: Scale) -> dict[str, float]:
    """Changes of an EVSE's status: one transaction each, the site's Location in it; by turns."""
    taken: dict[str, list[float]] = {side.name: [] for side in both}
    bases = {side.name: side.ground.connect() for side in both}
    for db in bases.values():
        await _registered(db)
    for number in range(scale.status_changes + 1):
        for name, db in bases.items():
            began = time.perf_counter()
            await DbInterface(db).transact(_change(number))
            if number:
                taken[name].append((time.perf_counter() - began) * 1000)
    for db in bases.values():
        db.close()
    medians = {name: statistics.median(values) for name, values in taken.items()}
    return compared("status_change", medians)


async def _registered(db: Database) -> None:
    # As the servers do at their start: not in a transaction.
    await asyncio.to_thread(geonames.cities)
    store = DbInterface(db)
    for number in range(_CHARGE_POINTS):
        await registrations.register(
            store,
            Application(f"CP-{number}", "Utrecht", {**cpo.METADATA}),
            proof=Proof(admin=True),
            open_to_new=False,
            credentials_hash="0" * 64,
            party=PARTY,
        )
        beat = Heartbeat(interval_s=3600, missed=24)
        await store.transact(partial(apply, party=PARTY, cp_id=f"CP-{number}", event=beat))


def _change(number: int) -> Callable[[Tx], Awaitable[object]]:
    """Of the charge points in turn, to occupied and back."""
    leaves = bool(number // _CHARGE_POINTS % 2)
    state = ConnectorState.AVAILABLE if leaves else ConnectorState.PREPARING

    async def work(tx: Tx) -> None:
        event = StateReported("1", state, "unplugged" if leaves else "plugged", tx.now)
        applied = await apply(tx, PARTY, f"CP-{number % _CHARGE_POINTS}", event)
        if not applied.status_changed:
            raise RuntimeError(f"{state.value} is no change of the status")

    return work
