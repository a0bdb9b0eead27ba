"""Whatever is asked for of exchanges, the store looks at a page and no more."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any, TypedDict

import pytest

from db_interface.database import Database
from db_interface.json_data import JsonMapping
from domain.exchanges import listing, looking_through
from domain.exchanges.document import Bounds
from domain.exchanges.exchange import EXCHANGES, Direction, Subject, time_of_id
from domain.exchanges.looking_through import bounded_query, reach
from domain.exchanges.recorder import Recorder, Rules
from domain.exchanges.search_keys import Wanted, hint_of
from tests.clock import Clock
from tests.conftest import Loop
from tests.domain.exchanges.samples import digest, seen

PAGE = 10
MANY = 600
BESIDE: dict[str, Any] = {
    "peer_id": "peer-3",
    "module": "cdrs",
    "direction": Direction.IN,
    "status": "2003",
}
IDS: tuple[dict[str, Any], ...] = (
    {},
    {"object": "loc1"},
    {"object": "s-7"},
    {"correlation_id": "c-7"},
)
EACH_AND_ALL = [
    dict(some)
    for number in range(len(BESIDE) + 1)
    for some in itertools.combinations(BESIDE.items(), number)
]


class Explained(TypedDict):
    stages: set[str]
    keys: int
    documents: int


async def explained(db: Database, wanted: Wanted) -> Explained:
    """What the store says of how it answers."""
    query = await bounded_query(db, wanted)
    found = EXCHANGES.of(db).driver.find(query, hint=hint_of(query)).sort("_id", -1).limit(PAGE)
    stats = (await found.explain())["executionStats"]
    return {
        "stages": stages_in(stats["executionStages"]),
        "keys": stats["totalKeysExamined"],
        "documents": stats["totalDocsExamined"],
    }


def stages_in(stage: JsonMapping) -> set[str]:
    below = [
        *([stage["inputStage"]] if "inputStage" in stage else ()),
        *stage.get("inputStages", ()),
    ]
    return {stage["stage"]}.union(*map(stages_in, below))


def record(db: Database, loop: Loop) -> Clock:
    """Many, a second apart, in each direction, of five peers; all name the location LOC1."""
    clock = db.clock = Clock()
    one = Recorder(db, Rules(True, Bounds(16_000, 1_000)), digest)
    for n in range(MANY):
        one.take(
            seen(
                direction=list(Direction)[n % 2],
                url=f"/ocpi/cpo/2.2.1/{('sessions', 'cdrs', 'locations')[n % 3]}/s-{n}",
                subject=Subject(f"peer-{n % 5}"),
                request={"location_id": "LOC1"},
                status=500 if n % 4 == 0 else 200,
                response={"status_code": 2003 if n % 4 == 0 else 1000},
                correlation_id=f"c-{n}",
                request_id=f"r-{n}",
                took_s=0.0,
            )
        )
        clock.advance(1)
    loop.run(one.write())
    return clock


def test_whatever_is_looked_for_a_page_is_all_that_is_read(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the store's own account: no collection is scanned and nothing is sorted. Where an id is
    asked for with something beside it, no more is looked through than is said."""
    monkeypatch.setattr(looking_through, "MAX_LOOKED_THROUGH", 30)
    ended = record(db, loop).now()
    times: tuple[dict[str, Any], ...] = (
        {},
        {"since": ended - timedelta(minutes=5)},
        {"until": ended - timedelta(minutes=5)},
    )
    for beside, time in itertools.product(EACH_AND_ALL, times):
        for ids in IDS:
            question = {**ids, **beside, **time}
            stats = loop.run(explained(db, Wanted(**question)))
            assert "COLLSCAN" not in stats["stages"], question
            assert "SORT" not in stats["stages"], question
            assert stats["documents"] <= (30 if ids and beside else PAGE), question
            assert stats["keys"] <= (31 if ids and beside else PAGE + 24), question


def test_of_what_has_much_to_look_through_all_is_found_in_the_end(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_through, "MAX_LOOKED_THROUGH", 100)
    record(db, loop)
    wanted = Wanted(object="LOC1", peer_id="peer-3", status="2003")

    async def all_pages() -> list[int]:
        numbers, cursor = [], None
        while True:
            rows, cursor = await listing.listed(db, wanted, limit=4, cursor=cursor)
            numbers += [int(row["correlation_id"][2:]) for row in rows]
            if cursor is None:
                return numbers

    assert loop.run(all_pages()) == [n for n in reversed(range(MANY)) if n % 5 == 3 and n % 4 == 0]
    oldest = loop.run(reach(db, wanted))
    assert oldest is not None
    assert db.now() - time_of_id(oldest) == timedelta(seconds=100)
    assert loop.run(reach(db, Wanted(object="LOC1"))) is None  # nothing has to be looked through
    assert loop.run(reach(db, Wanted(object="s-7", peer_id="peer-2"))) is None
    assert loop.run(reach(db, Wanted(peer_id="peer-3"))) is None
