"""Simulated OCPP charge points in one process, as many as are asked for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from cpo_app.charge_point.clock import Clock, SystemClock
from cpo_app.charge_point.drivers import Drivers
from cpo_app.charge_point.journal import Journal
from cpo_app.charge_point.ocpp.dialect import Dialect
from cpo_app.charge_point.ocpp.keeping import RECONNECTS, Access, Keeping
from cpo_app.charge_point.ocpp.memory import MemoryJournal
from cpo_app.charge_point.ocpp.station import Hardware, Station
from cpo_app.charge_point.ocpp.v16 import V16
from cpo_app.charge_point.ocpp.v201 import V201
from cpo_app.charge_point.power import Car, Supply
from cpo_app.charge_point.signing import MeterSigner, meter_key
from cpo_app.charge_point.state_dir import private_dir, write_private
from db_interface.backoff import Backoff

Version = Literal["1.6", "2.0.1"]
_DIALECTS: dict[str, type[V16] | type[V201]] = {"1.6": V16, "2.0.1": V201}


@dataclass(frozen=True)
class Box:
    """What one charge point is made of. Without `state_dir` it forgets all when it ends."""

    station_id: str
    version: Version
    access: Access
    hardware: Hardware
    state_dir: Path | None = None
    sign_meter_values: bool = False
    tick_s: float = 1.0


def hardware(power_kw: float = 22.0, kind: str = "AC", evses: int = 1) -> Hardware:
    """The usual car comes to it, and takes what it gives."""
    dc = kind == "DC"
    supply = Supply(power_kw * 1000, 400.0 if dc else 230.0, 1 if dc else 3, dc)
    return Hardware(supply, Car(60_000, 0.2, power_kw * 1000), evses=evses)


def build(box: Box, *, clock: Clock | None = None, backoff: Backoff = RECONNECTS) -> Keeping:
    """Raises OSError, ValueError and JournalInUse where its state directory is not usable."""
    clock = clock or SystemClock()
    if box.state_dir is None:
        station = Station(box.station_id, box.hardware, MemoryJournal(), clock)
        return Keeping(
            station, _dialect(box, station), box.access, backoff=backoff, tick_s=box.tick_s
        )
    directory = private_dir(box.state_dir)
    key = meter_key(directory, box.station_id) if box.sign_meter_values else None
    station = Station(
        box.station_id,
        box.hardware,
        Journal(directory / f"ocpp-{box.station_id}.sqlite"),
        clock,
        lambda timeline: MeterSigner(key, box.station_id, timeline) if key else None,
    )
    access = _remembered(box.access, directory / f"ocpp-{box.station_id}.password")
    return Keeping(station, _dialect(box, station), access, backoff=backoff, tick_s=box.tick_s)


async def run(boxes: Sequence[Keeping], cards: Sequence[str] = (), spread_s: float = 0.0) -> None:
    """Until cancelled. `cards`: drivers come to each charge point and show one of them. `spread_s`:
    within how long they are switched on, one after the other."""
    tasks: set[asyncio.Task[None]] = set()
    try:
        for box in boxes:
            tasks.add(asyncio.create_task(box.run()))
            if cards:
                tasks |= {
                    asyncio.create_task(Drivers(one, cards, random.Random()).run())
                    for one in box.simulations.values()
                }
            await asyncio.sleep(spread_s / len(boxes))
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _dialect(box: Box, station: Station) -> Dialect:
    return _DIALECTS[box.version](station)


def _remembered(access: Access, path: Path) -> Access:
    """With the password that the central system has given it since, if any."""
    if path.exists():
        access = replace(access, password=path.read_text(encoding="utf-8"))
    return replace(access, keep_password=lambda password: write_private(path, password))
