"""Lists: each row once through any filter, order and page, while rows come; CSV; what cannot be."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta, timezone
from typing import TypedDict
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from domain.listing.filters import BadFilter, between, choice, flag, moment_in, period, text
from domain.listing.listing import Asked, Listing, Question, Stored
from domain.listing.spreadsheet import heading, lines
from domain.paging import BadCursor, Order, newest_by, oldest_by
from tests.conftest import Loop
from tests.drawn import drawn

NOON = datetime(2025, 5, 5, 12, 0, tzinfo=timezone.utc)


class Thing(TypedDict):
    _id: str
    made: datetime
    colour: str
    weight: float


THINGS: Collection[Thing] = Collection("things_listed")


async def _question(db: Database, values: JsonObject) -> Question:
    query: JsonObject = {}
    if "colour" in values:
        query["colour"] = values["colour"]
    made = between(values)
    return Question(query if made is None else {**query, "made": made})


async def _rows(db: Database, things: list[Thing]) -> list[JsonObject]:
    return [{**thing, "id": thing["_id"]} for thing in things]


LIST: Listing[Thing] = Listing(
    name="things",
    source=Stored(THINGS.of, _question),
    rows=_rows,
    filters=(
        choice("colour", "Colour", "Of this colour.", ("red", "blue")),
        text("name", "Name", "Of this name.", 5),
        flag("whole", "Whole", "Those that are whole."),
        *period("Made"),
    ),
    orders=(
        newest_by("made"),
        oldest_by("made"),
        Order("weight", "the heaviest first", [("weight", -1), ("_id", -1)]),
    ),
    columns={"id": "id", "colour": "colour", "weight": "weight", "made": "made"},
)

THING = st.tuples(
    st.integers(0, 5),  # few: many are of the same moment
    st.sampled_from(("red", "blue")),
    st.sampled_from((-1, 0, 0.5, 7, 7.25)),
)


def thing(number: int, drawn_one: tuple[int, str, float]) -> Thing:
    seconds, colour, weight = drawn_one
    made = NOON + timedelta(seconds=seconds)
    return {"_id": f"t{number:03}", "made": made, "colour": colour, "weight": weight}


def fits(one: Thing, asked: Asked) -> bool:
    values = asked.values
    return (
        one["colour"] == values.get("colour", one["colour"])
        and values.get("from", NOON) <= one["made"]
        and one["made"] < values.get("to", NOON + timedelta(days=1))
    )


@settings(max_examples=drawn(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    there=st.lists(THING, max_size=12),
    coming=st.lists(THING, max_size=6),
    words=st.fixed_dictionaries(
        {},
        optional={
            "colour": st.sampled_from(("red", "blue")),
            "from": st.sampled_from(("2025-05-05T12:00:01Z", "2025-05-05T12:00:03Z")),
            "to": st.sampled_from(("2025-05-05T12:00:02Z", "2025-05-05T12:00:05Z")),
            "sort": st.sampled_from(("newest", "oldest", "weight")),
        },
    ),
    limit=st.integers(1, 4),
)
def test_paging_gives_each_row_once_while_rows_are_added(
    db: Database,
    loop: Loop,
    there: list[tuple[int, str, float]],
    coming: list[tuple[int, str, float]],
    words: dict[str, str],
    limit: int,
) -> None:
    before = [thing(number, one) for number, one in enumerate(there)]
    added = [thing(100 + number, one) for number, one in enumerate(coming)]
    asked = LIST.asked(words)

    async def walk() -> tuple[list[str], list[str], list[str]]:
        await THINGS.of(db).delete_many({})
        await THINGS.of(db).insert_many(before)
        seen: list[str] = []
        waiting, cursor = list(added), None
        while True:
            page = await LIST.page(db, asked, limit=limit, cursor=cursor)
            assert len(page.rows) <= limit
            seen += [row["id"] for row in page.rows]
            if waiting:
                await THINGS.of(db).insert_one(waiting.pop())
            if page.following is None:
                break
            cursor = page.following
        await THINGS.of(db).insert_many(waiting)
        # To the end once more, and back from there.
        page = await LIST.page(db, asked, limit=limit)
        while page.following is not None:
            page = await LIST.page(db, asked, limit=limit, cursor=page.following)
        back = [row["id"] for row in page.rows]
        while page.preceding is not None:
            page = await LIST.page(db, asked, limit=limit, cursor=page.preceding)
            back = [row["id"] for row in page.rows] + back
        every = [row["id"] async for rows in LIST.everything(db, asked) for row in rows]
        return seen, back, every

    seen, back, every = loop.run(walk())
    wanted = {one["_id"] for one in before if fits(one, asked)}
    assert len(seen) == len(set(seen))
    assert wanted <= set(seen) <= {one["_id"] for one in (*before, *added) if fits(one, asked)}
    assert every == _sorted([*before, *added], asked)
    # The first page is full, and may repeat what the one behind it had.
    assert list(dict.fromkeys(back)) == every


def _sorted(things: list[Thing], asked: Asked) -> list[str]:
    key, way = asked.order.keys[0]

    def place(one: JsonMapping) -> tuple[object, str]:
        return one[key], one["_id"]

    fitting = [one for one in things if fits(one, asked)]
    return [one["_id"] for one in sorted(fitting, key=place, reverse=way < 0)]


@pytest.mark.parametrize(
    ("words", "said", "unknown"),
    [
        ({"color": "red"}, "color: is no filter of this list; there are colour, name", True),
        ({"colour": "green"}, "colour: is none of red, blue", False),
        ({"colour": ""}, "colour: is empty", False),
        ({"name": "longer"}, "name: is longer than 5 characters", False),
        ({"name": "a\0b"}, "name: has characters that nobody can see", False),
        ({"whole": "perhaps"}, "whole: is true or false", False),
        ({"from": "yesterday"}, "from: is no time like", False),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from: is no time like", False),
        ({"sort": "name"}, "sort: is none of newest, oldest, weight", False),
    ],
)
def test_what_cannot_be_is_said_with_its_name(
    words: dict[str, str], said: str, unknown: bool
) -> None:
    with pytest.raises(BadFilter, match=said) as refused:
        LIST.asked(words)
    assert refused.value.unknown is unknown


def test_a_cursor_is_good_for_its_own_order_alone(db: Database, loop: Loop) -> None:
    things = [thing(n, (n, "red", n)) for n in range(3)]
    loop.run(THINGS.of(db).insert_many(things))
    page = loop.run(LIST.page(db, LIST.asked({}), limit=1))
    for words, cursor in (
        ({"sort": "oldest"}, page.following),
        ({}, "x"),
        ({}, ""),
        ({}, "W10"),
        ({}, "WyJuZXdlc3QiLDAsWzFlNDBdLCJhIl0"),  # a moment of 1e40
        ({}, "WyJuZXdlc3QiLDAseyIkZ3QiOjF9LCJhIl0"),  # {"$gt": 1}
        ({}, "é" * 10),
    ):
        with pytest.raises(BadCursor):
            loop.run(LIST.page(db, LIST.asked(words), limit=1, cursor=cursor))


def test_times_without_a_zone_are_the_operators() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for written, utc in (
        ("2025-05-05", "2025-05-04T22:00:00+00:00"),
        ("2025-05-05 12:30", "2025-05-05T10:30:00+00:00"),
        ("2025-05-05T12:30:00Z", "2025-05-05T12:30:00+00:00"),
        ("2025-05-05T12:30:00+01:00", "2025-05-05T11:30:00+00:00"),
        ("2025-05-05T12:30:00 01:00", "2025-05-05T11:30:00+00:00"),  # a plus in an address
    ):
        assert moment_in(written, berlin).isoformat() == utc


@given(st.text(max_size=20))
def test_csv_is_read_back_as_it_was_and_no_cell_is_a_formula(said: str) -> None:
    row = {"a": said, "b": {"c": [said]}, "n": -1.5, "at": NOON}
    columns = {"a": "a", "b": "b.c", "none": "b.x", "n": "n", "at": "at"}
    # newline="": the cells' own line ends stay.
    text_ = heading(list(columns)) + lines(columns, [row])
    [names, cells] = list(csv.reader(io.StringIO(text_, newline="")))
    assert names == list(columns)
    assert cells[1] == cells[0] and cells[2:] == ["", "-1.5", "2025-05-05T12:00:00Z"]
    assert not cells[0].startswith(tuple("=+-@\t\r"))
    assert cells[0].removeprefix("'") == said.replace("\r", " ").removeprefix("'")
