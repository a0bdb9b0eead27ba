"""The recorder: nobody waits for it, what does not fit is counted, and the oldest go first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from db_interface.database import Database
from domain.exchanges import listing
from domain.exchanges.bounds import ExchangeBounds
from domain.exchanges.document import Bounds
from domain.exchanges.exchange import EXCHANGES, Direction, Subject
from domain.exchanges.recorder import (
    LOSSES_EVERY_S,
    STRANGERS_PER_MINUTE,
    Bucket,
    Recorder,
    Rules,
)
from domain.exchanges.search_keys import BadSearch, Wanted
from tests.clock import Clock
from tests.conftest import Loop
from tests.domain.exchanges.samples import digest, seen

RULES = Rules(True, Bounds(16_000, 1_000))


def recorder(db: Database, rules: Rules = RULES) -> Recorder:
    return Recorder(db, rules, digest)


def kept(db: Database, loop: Loop, **wanted: Any) -> list[str]:
    rows, _ = loop.run(listing.listed(db, Wanted(**wanted), limit=100))
    return [row["correlation_id"] for row in rows]


def recorded(db: Database, loop: Loop, number: int, *, apart: timedelta = timedelta(0)) -> None:
    """So many exchanges, `apart` from each other; c0 is the first."""
    clock = db.clock = Clock()
    one = recorder(db)
    for n in range(number):
        one.take(seen(correlation_id=f"c{n}", request_id=f"r{n}", took_s=0.0))
        clock.advance(apart.total_seconds())
    loop.run(one.write())


def test_what_is_taken_is_written_down_later_and_found(db: Database, loop: Loop) -> None:
    one = recorder(db)
    one.take(seen())
    assert kept(db, loop) == []
    loop.run(one.write())
    assert kept(db, loop) == kept(db, loop, correlation_id="CORRELATION-1") == ["correlation-1"]
    assert kept(db, loop, correlation_id="request-1") == ["correlation-1"]


def test_what_does_not_fit_is_dropped_and_counted(db: Database, loop: Loop) -> None:
    counts: dict[str, int] = {}

    def count(what: str, number: int) -> None:
        counts[what] = counts.get(what, 0) + number

    one = Recorder(db, RULES, digest, count, max_waiting=3)
    for _ in range(5):
        one.take(seen())
    small = Recorder(db, RULES, digest, count, max_waiting_bytes=10_000)
    small.take(seen(request=b"x" * 20_000))
    loop.run(one.write())
    loop.run(small.write())
    assert counts == {"kept": 3, "dropped": 3}
    assert loop.run(listing.lost_since(db, db.now() - listing.LATELY)) == 3


def test_an_exchange_that_cannot_be_read_takes_no_other_with_it(db: Database, loop: Loop) -> None:
    one = recorder(db)
    one.take(seen(url=None))
    one.take(seen())
    loop.run(one.write())
    assert kept(db, loop) == ["correlation-1"]
    assert loop.run(listing.lost_since(db, db.now() - listing.LATELY)) == 1


def test_it_can_be_switched_off_for_all_and_for_a_peer(db: Database, loop: Loop) -> None:
    off = recorder(db, Rules(False, RULES.bounds))
    but_one = recorder(db, Rules(True, RULES.bounds, except_peers={"peer-1"}))
    for one in (off, but_one):
        one.take(seen())
        one.take(seen(subject=Subject("peer-2"), correlation_id="of-peer-2"))
        loop.run(one.write())
    assert kept(db, loop) == ["of-peer-2"]


def test_strangers_do_not_push_out_what_happened_with_peers(db: Database, loop: Loop) -> None:
    clock = db.clock = Clock()
    one = recorder(db)
    for _ in range(STRANGERS_PER_MINUTE + 50):
        one.take(seen(subject=Subject(), status=401))
    one.take(seen())
    clock.advance(61)
    one.take(seen(subject=Subject(), status=401))
    loop.run(one.write())
    assert loop.run(EXCHANGES.of(db).count({"peer_id": None})) == STRANGERS_PER_MINUTE + 1
    assert loop.run(EXCHANGES.of(db).count({"peer_id": "peer-1"})) == 1


def test_at_full_load_the_routine_is_rationed_and_the_rest_is_kept(
    db: Database, loop: Loop
) -> None:
    seconds = [0.0]
    bucket = Bucket(10, 30, clock=lambda: seconds[0])
    assert [bucket.take() for _ in range(40)] == [True] * 30 + [False] * 10
    seconds[0] = 0.5
    assert [bucket.take() for _ in range(8)] == [True] * 5 + [False] * 3
    seconds[0] = 100.0
    assert sum(bucket.take() for _ in range(50)) == 30
    assert all(Bucket(0, 0).take() for _ in range(1000))

    one = recorder(db, Rules(True, RULES.bounds, routine_per_s=1e-9))
    assert one.leaves_out(routine=True)
    assert not one.leaves_out(routine=False)
    loop.run(one.write())
    assert loop.run(listing.lost_since(db, db.now() - listing.LATELY)) == 1


def test_what_was_left_out_is_counted_at_once_and_written_down_now_and_then(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [0.0]
    monkeypatch.setattr("domain.exchanges.recorder.monotonic", lambda: seconds[0])
    counts: list[tuple[str, int]] = []
    rules = Rules(True, RULES.bounds, routine_per_s=1e-9)
    one = Recorder(db, rules, digest, lambda *count: counts.append(count))

    def left_out(number: int) -> int:
        """So many more; how many are written down."""
        assert all(one.leaves_out(routine=True) for _ in range(number))
        loop.run(one.write())
        return loop.run(listing.lost_since(db, db.now() - listing.LATELY))

    assert left_out(3) == 3
    assert left_out(2) == 3
    seconds[0] = LOSSES_EVERY_S
    assert left_out(4) == 9
    assert left_out(1) == 9
    loop.run(one.close())
    assert left_out(0) == 10
    assert counts == [("dropped", 3), ("dropped", 2), ("dropped", 4), ("dropped", 1)]


def test_what_is_too_old_goes(db: Database, loop: Loop) -> None:
    recorded(db, loop, 6, apart=timedelta(days=1))
    assert loop.run(ExchangeBounds(db, days=3.5, most=0).forget()) == 3
    assert kept(db, loop) == ["c5", "c4", "c3"]


def test_what_is_too_much_goes_the_oldest_first(db: Database, loop: Loop) -> None:
    recorded(db, loop, 6)
    assert loop.run(ExchangeBounds(db, days=0, most=2).forget()) == 4
    assert kept(db, loop) == ["c5", "c4"]
    assert loop.run(ExchangeBounds(db, days=0, most=2).forget()) == 0


def test_pages_follow_each_other_newest_first(db: Database, loop: Loop) -> None:
    recorded(db, loop, 5)
    first, cursor = loop.run(listing.listed(db, Wanted(peer_id="peer-1"), limit=3))
    rest, end = loop.run(listing.listed(db, Wanted(peer_id="peer-1"), limit=3, cursor=cursor))
    assert [row["correlation_id"] for row in (*first, *rest)] == ["c4", "c3", "c2", "c1", "c0"]
    assert end is None
    with pytest.raises(BadSearch):
        loop.run(listing.listed(db, Wanted(), limit=3, cursor="x' || 1"))


def test_each_way_to_look_for_one(db: Database, loop: Loop) -> None:
    clock = db.clock = Clock()
    begun = clock.now()
    one = recorder(db)
    one.take(seen(correlation_id="in", took_s=0.0))
    clock.advance(60)
    one.take(
        seen(
            correlation_id="out",
            direction=Direction.OUT,
            method="PUT",
            url="https://peer.example/r/locations/NL/EVC/LOC1",
            subject=Subject("peer-2", "locations"),
            status=404,
            response={"status_code": 2003},
            took_s=0.0,
        )
    )
    loop.run(one.write())
    minute = timedelta(minutes=1)
    for wanted, found in (
        ({"peer_id": "peer-1"}, ["in"]),
        ({"module": "locations"}, ["out"]),
        ({"direction": Direction.IN}, ["in"]),
        ({"status": "404"}, ["out"]),
        ({"status": "2003", "peer_id": "peer-2"}, ["out"]),
        ({"status": "refused", "module": "locations"}, ["out"]),
        ({"status": "refused", "direction": Direction.IN}, []),
        ({"object": "loc1"}, ["out"]),
        ({"object": "loc1", "peer_id": "peer-1"}, []),
        ({"object": "loc1", "status": "failed"}, []),
        ({"object": "loc1", "status": "404"}, ["out"]),
        ({"object": "loc1", "correlation_id": "out"}, ["out"]),
        ({"object": "loc1", "correlation_id": "in"}, []),
        ({"since": begun + minute / 2}, ["out"]),
        ({"until": begun + minute / 2, "peer_id": "peer-1"}, ["in"]),
    ):
        assert kept(db, loop, **wanted) == found, wanted
    for module, status in (("nothing", None), (None, "200"), (None, "broken")):
        with pytest.raises(BadSearch):
            Wanted(module=module, status=status)
