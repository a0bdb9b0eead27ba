"""Each matter is told once when it opens and once when it is over, whoever looks or dies."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from db_interface.clocks import HostClock
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.notices import deliveries, matters, telling
from domain.notices.deliveries import DELIVERIES, LANES, WATCH
from domain.notices.gathering import GATHER_S, Sighting
from domain.notices.matters import CALM_S, FLAP_WINDOW, MATTERS
from domain.notices.sources import sources_of
from domain.notices.troubles import Kind, Source, Trouble
from domain.notices.watch import PAUSE_S, Watch
from tests.clock import Clock
from tests.conftest import Loop

SILENT_1, SILENT_2 = "charge_point_silent:CP-1", "charge_point_silent:CP-2"


class World:
    """A source that says what the test has put into it, and the watches that ask it."""

    def __init__(self, db: Database, loop: Loop) -> None:
        self.db, self.loop = db, loop
        self.store = DbInterface(db)
        db.clock = self.clock = Clock()
        self.troubles: list[Trouble] = []
        self.broken = False
        self.watch = self.another()

    def another(self, targets: Sequence[str] = ("hook", "mail")) -> Watch:
        source = Source("test", frozenset(Kind), self._look)
        return Watch(self.store, [source], targets)

    async def _look(self) -> Sequence[Trouble]:
        if self.broken:
            raise ValueError("cannot be looked at")
        return list(self.troubles)

    def silent(self, *cp_ids: str) -> None:
        self.troubles = [
            Trouble(Kind.CHARGE_POINT_SILENT, cp_id, f"{cp_id} is silent", "Berlin")
            for cp_id in cp_ids
        ]

    def look(self, after_s: float = 0.0, watch: Watch | None = None) -> bool:
        self.clock.advance(after_s)
        return self.loop.run((watch or self.watch).round())

    def since(self) -> datetime:
        """Of what was told first."""
        found = self.loop.run(DELIVERIES.of(self.db).find({}, sort=[("at", 1)], limit=1))
        return found[0]["message"]["since"]

    def told(self, target: str = "hook") -> list[tuple[str, str]]:
        found = self.loop.run(
            DELIVERIES.of(self.db).find({"target": target}, sort=[("at", 1), ("rank", 1)])
        )
        return [(row["message"]["event"], row["message"]["matter"]) for row in found]

    def events(self) -> list[str]:
        return [event for event, _ in self.told()]


@pytest.fixture
def world(db: Database, loop: Loop) -> World:
    return World(db, loop)


def test_a_matter_is_told_once_and_once_more_when_it_is_over(world: World) -> None:
    world.silent("CP-1")
    world.look()
    assert world.told() == []  # it may pass by itself
    world.look(GATHER_S)
    for _ in range(3):
        world.look(60)
    assert world.told() == world.told("mail") == [("opened", "charge_point_silent:CP-1")]
    world.silent()
    world.look(1)
    world.look(CALM_S)
    world.look(60)
    assert world.events() == ["opened", "over"]
    (matter,) = world.loop.run(matters.lately_over(world.db, 10))
    assert matter["over"] > matter["opened"]


def test_what_passes_at_once_is_not_told(world: World) -> None:
    world.silent("CP-1")
    world.look()
    world.silent()
    world.look(GATHER_S)
    world.silent("CP-1")
    world.look(1)
    assert world.told() == []


def test_what_flaps_stays_one_matter_until_it_is_calm(world: World) -> None:
    for _ in range(40):
        world.silent("CP-1")
        world.look(2)
        world.look(GATHER_S)
        world.silent()
        world.look(2)
        world.look(CALM_S)
    assert world.events() == ["opened", "over", "opened"]
    world.look(matters.MAX_CALM_S)
    assert world.events() == ["opened", "over", "opened", "over"]


def test_an_hour_later_it_is_as_new(world: World) -> None:
    for _ in range(3):
        world.silent("CP-1")
        world.look(FLAP_WINDOW.total_seconds())
        world.look(GATHER_S)
        world.silent()
        world.look(1)
        world.look(CALM_S)
    assert world.events() == ["opened", "over"] * 3


def test_thousand_alike_are_one_and_told_again_when_it_is_far_worse(world: World) -> None:
    world.silent(*(f"CP-{n}" for n in range(100)))
    world.look()
    world.look(GATHER_S)
    world.silent(*(f"CP-{n}" for n in range(150)))
    world.look(2)
    world.silent(*(f"CP-{n}" for n in range(1000)))
    world.look(2)
    world.look(2)
    group = "charge_point_silent at Berlin"
    assert world.told() == [("opened", group), ("worse", group)]
    last = world.loop.run(DELIVERIES.of(world.db).find_one({"message.event": "worse"}))
    assert last is not None
    assert last["message"]["said"] == "Berlin: 1000 charge points are silent"


def test_who_cannot_look_says_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.silent("CP-1")
    world.look()
    world.look(GATHER_S)
    world.broken = True
    for _ in range(5):
        world.look(60)
    assert world.events() == ["opened"]
    assert len(caplog.records) == 1


def test_of_two_processes_one_looks_and_the_other_follows_when_it_dies(world: World) -> None:
    other = world.another()
    world.silent("CP-1")
    assert [world.look(), world.look(watch=other)] == [True, False]
    world.look(GATHER_S)
    # Killed: its lease ends.
    world.loop.run(LANES.of(world.db).update_one({"_id": WATCH}, {"$set": {"owner": "dead"}}))
    assert world.look(watch=other) is False
    ended = {"$set": {"until": world.clock.at - timedelta(days=1)}}
    world.loop.run(LANES.of(world.db).update_one({"_id": WATCH}, ended))
    assert world.look(watch=other) is True
    world.look(GATHER_S, watch=other)
    assert world.events() == ["opened"]
    world.silent()
    world.look(1, watch=other)
    world.look(CALM_S, watch=other)
    assert world.events() == ["opened", "over"]


def test_with_nobody_to_tell_trouble_is_followed_and_who_comes_later_is_told(world: World) -> None:
    alone = world.another(targets=())
    world.silent("CP-1", "CP-2")
    for _ in range(3):
        world.look(GATHER_S, watch=alone)
    opened = world.loop.run(matters.open_ones(world.db))
    assert sorted(matter["_id"] for matter in opened) == [SILENT_1, SILENT_2]
    world.silent("CP-1")
    for _ in range(3):
        world.look(CALM_S, watch=alone)
    assert [one["_id"] for one in world.loop.run(matters.lately_over(world.db, 9))] == [SILENT_2]
    assert world.told() == []

    world.loop.run(alone.stop())
    for _ in range(3):
        world.look(GATHER_S)
    assert world.told() == [("opened", SILENT_1)]
    assert world.since() == opened[0]["opened"], "it is said since when it is so"
    world.silent()
    for _ in range(2):
        world.look(CALM_S)
    assert world.told() == [("opened", SILENT_1), ("over", SILENT_1)]


def test_whether_anybody_watches_is_known_to_all(world: World) -> None:
    world.db.clock = HostClock()  # leases go by the server's own
    assert world.loop.run(deliveries.watched(world.db)) is False
    world.loop.run(world.watch.round())
    assert world.loop.run(deliveries.watched(world.db)) is True
    world.loop.run(world.watch.stop())
    assert world.loop.run(deliveries.watched(world.db)) is False


def test_two_that_see_the_same_at_once_tell_it_once(world: World) -> None:
    sighting = Sighting("disk_low:it", Kind.DISK_LOW, "the disk is full", "", subject="it")

    async def both() -> None:
        await asyncio.gather(
            *(world.store.transact(lambda tx: matters.seen(tx, sighting, ["hook"])) for _ in "ab")
        )

    world.loop.run(both())
    assert world.events() == ["opened"]
    assert world.loop.run(MATTERS.of(world.db).count({})) == 1


def test_lane_is_one_owners_and_rests_after_a_failure(world: World) -> None:
    world.silent("CP-1")
    world.look()
    world.look(GATHER_S)

    async def work() -> list[bool]:
        db = world.db
        first = await deliveries.claim(db, "hook", "a")
        second = await deliveries.claim(db, "hook", "b")
        waiting = await deliveries.next_for(db, "hook")
        assert waiting is not None
        await world.store.transact(lambda tx: deliveries.refused(tx, waiting, "HTTP 500"))
        await deliveries.release(db, "hook", "a")
        resting = await deliveries.claim(db, "hook", "b")
        await LANES.of(db).update_one({"_id": "hook"}, {"$unset": {"retry_at": 1}})
        return [first, second, resting, await deliveries.claim(db, "hook", "b")]

    assert world.loop.run(work()) == [True, False, False, True]


def test_from_trouble_to_the_target_no_more_than_ten_seconds_pass(world: World) -> None:
    """The sum of all pauses in the worst case, by the watch's own clock: the trouble begins (ends)
    just after a look, and what is to be told is written just after the teller has asked."""
    most_s = 10.0
    for troubled in (["CP-1"], []):
        world.look(PAUSE_S)
        told, passed_s = len(world.told()), 0.0
        world.silent(*troubled)
        while len(world.told()) == told:
            world.look(PAUSE_S)
            passed_s += PAUSE_S
            assert passed_s < most_s
        assert passed_s + telling.PAUSE_S <= most_s
    assert world.events() == ["opened", "over"]


def test_a_disk_that_fills_is_told_and_over_when_there_is_room(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the figures that the database server gives of its own disk."""
    total = 100e9
    room = [(6e9, total)]

    async def told_by_the_server() -> tuple[float, float]:
        return room[0]

    monkeypatch.setattr(world.db, "room", told_by_the_server)
    (disk,) = [one for one in sources_of(world.db) if one.kinds == {Kind.DISK_LOW}]
    watch = Watch(world.store, [disk], ["hook"])
    world.look(watch=watch)
    world.look(GATHER_S, watch)
    assert world.told() == [], "a twentieth is enough"
    room[0] = (3.2e9, total)
    world.look(watch=watch)
    world.look(GATHER_S, watch)
    room[0] = (3.1e9, total)
    world.look(60, watch)
    assert world.told() == [("opened", "disk_low:the store")], "once, though it fills on"
    (matter,) = world.loop.run(matters.open_ones(world.db))
    assert matter["said"] == "the disk of the store is nearly full: 3 of 100 GB are free"
    room[0] = (50e9, total)
    world.look(60, watch)
    world.look(CALM_S, watch)
    assert world.events() == ["opened", "over"]
