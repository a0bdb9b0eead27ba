"""What happens in a soak, drawn from a seed before anything starts: faults, and drivers' visits.

Pure: the same seed and size give the same plan on every machine. How the processes interleave is
not in anybody's hand, so a seed repeats the faults, not the instruction at which each strikes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

MAX_CLOCK_OFF_S = 6 * 3600.0


class Kind(str, Enum):
    WORKER_KILLED = "worker killed"
    WORKER_PAUSED = "worker paused"
    ENGINES_KILLED = "engines killed"
    ENGINES_PAUSED = "engines paused"
    MONITORS_KILLED = "monitors killed"
    STORE_KILLED = "store killed"
    UPLINK_CUT = "uplink cut"
    UPLINK_HANGS = "uplink hangs"
    RECEIPTS_LOST = "the eMSP's receipts lost"


@dataclass(frozen=True)
class Fault:
    """`target`: the number of the worker, of the group of engines or monitors, or of the charge
    point; `clock_off_s`: by so much more the engines' clocks are off when they come back."""

    at_s: float
    kind: Kind
    target: int
    for_s: float
    clock_off_s: float = 0.0


@dataclass(frozen=True)
class Visit:
    """`after_s` the one before a driver comes, by his app or with his card, and charges."""

    after_s: float
    by_app: bool
    charges_s: float


@dataclass(frozen=True)
class Size:
    """How much there is of everything; times in seconds. A fault that outlasts `limit_s` outlasts
    every limit that the servers are set to (house.py)."""

    faults_for_s: float
    fault_every_s: float
    charge_points: int
    group: int
    """Charge points whose engines (and whose monitors) share a process."""
    limit_s: float
    workers: int = 3

    @property
    def groups(self) -> int:
        return -(-self.charge_points // self.group)


SHORT = Size(faults_for_s=6, fault_every_s=0.7, charge_points=4, group=4, limit_s=4, workers=2)
LONG = Size(faults_for_s=150, fault_every_s=3, charge_points=20, group=5, limit_s=12)


@dataclass(frozen=True)
class Plan:
    seed: int
    size: Size
    faults: Sequence[Fault]
    visits: Sequence[Sequence[Visit]]
    """Of each charge point."""
    clocks_off_s: Sequence[float]
    """Of each charge point's engine, at its first start."""


def planned(seed: int, size: Size) -> Plan:
    chance = random.Random(seed)
    faults = tuple(_faults(chance, size))
    visits = tuple(tuple(_visits(chance, size)) for _ in range(size.charge_points))
    clocks = tuple(_clock_off(chance) for _ in range(size.charge_points))
    return Plan(seed, size, faults, visits, clocks)


def _faults(chance: random.Random, size: Size) -> Iterator[Fault]:
    """Every kind before any comes again, and each at least once."""
    at_s = 1.0
    while at_s < size.faults_for_s:
        for kind in chance.sample(list(Kind), len(Kind)):
            target = chance.randrange(_targets(kind, size))
            lasts = chance.uniform(*_lasting(kind, size))
            off_s = _clock_off(chance) if kind is Kind.ENGINES_KILLED else 0.0
            yield Fault(round(at_s, 2), kind, target, round(lasts, 2), off_s)
            at_s += size.fault_every_s * chance.uniform(0.5, 1.5)


def _lasting(kind: Kind, size: Size) -> tuple[float, float]:
    if kind in (Kind.UPLINK_CUT, Kind.UPLINK_HANGS, Kind.ENGINES_KILLED):
        return 1.0, 2 * size.limit_s
    if kind in (Kind.WORKER_PAUSED, Kind.ENGINES_PAUSED):
        return 4.5, 8.0  # longer than any lease
    return 0.2, 3.0


def _targets(kind: Kind, size: Size) -> int:
    if kind in (Kind.WORKER_KILLED, Kind.WORKER_PAUSED):
        return size.workers
    if kind in (Kind.ENGINES_KILLED, Kind.ENGINES_PAUSED, Kind.MONITORS_KILLED):
        return size.groups
    if kind in (Kind.UPLINK_CUT, Kind.UPLINK_HANGS):
        return size.charge_points
    return 1


def _visits(chance: random.Random, size: Size) -> Iterator[Visit]:
    passed = 0.0
    while passed < size.faults_for_s:
        after, charges = chance.uniform(0.2, 3), chance.uniform(1, size.limit_s)
        yield Visit(round(after, 2), chance.random() < 0.5, round(charges, 2))
        passed += after + charges


def _clock_off(chance: random.Random) -> float:
    """Of every other: some seconds, or hours."""
    off = chance.choice((0.0, chance.uniform(-90, 90), chance.uniform(-1, 1) * MAX_CLOCK_OFF_S))
    return round(off, 3)
