"""A document is what it would be if it were written anew, whatever has changed in which order."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.open_data import edition as editions
from domain.open_data.edition import Edition, Rendering, Shape, first_parts
from domain.open_data.published import Changes, Row

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
LATER = NOW + timedelta(seconds=9)
LIST = Shape("application/json", begin=lambda _: b"[", end=lambda _: b"]", between=b",")
SECOND = timedelta(seconds=1)


def row(place: int, text: str = "", at: datetime = NOW) -> Row:
    return Row(place, at, orjson.dumps(f"{place}{text}"))


def shown(raw: bytes) -> bytes | None:
    """All but what is hidden."""
    return None if b"hidden" in raw else raw


RENDERING = Rendering(shown)


@pytest.fixture(autouse=True)
def _short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editions, "OBJECTS", 3)


def edition(rows: Sequence[Row], shape: Shape = LIST) -> Edition:
    return Edition(shape, first_parts(rows, RENDERING, shape), NOW)


def changed(before: Edition, rows: Sequence[Row] = (), gone: Sequence[int] = ()) -> Edition:
    return before.changed(Changes(rows, gone, 0, LATER), RENDERING, LATER)


def texts(one: Edition) -> list[str]:
    plain = b"".join(one.content())
    assert gzip.decompress(b"".join(one.gzipped)) == plain
    assert len(plain) == one.size
    found: list[str] = orjson.loads(plain)
    assert len(found) == one.number
    return found


def test_it_holds_all_in_order_of_creation() -> None:
    assert texts(edition([row(n) for n in range(10)])) == [str(n) for n in range(10)]
    assert texts(edition([])) == []


def test_what_is_not_rendered_is_known_and_does_not_stand_in_it() -> None:
    one = edition([row(1, "hidden"), row(2, "hidden"), row(3, "hidden"), row(4), Row(5, NOW, None)])
    assert (texts(one), one.number, one.known) == (["4"], 1, 5)


def test_a_change_rewrites_its_part_alone() -> None:
    before = edition([row(n) for n in range(9)])
    after = changed(before, [row(4, " new")], gone=[7])
    assert texts(after) == ["0", "1", "2", "3", "4 new", "5", "6", "8"]
    assert after.parts[0] is before.parts[0]
    assert after.made_at == LATER
    assert texts(before) == [str(n) for n in range(9)]


def test_what_changes_nothing_makes_no_new_edition() -> None:
    before = edition([row(1), row(2)])
    assert changed(before, gone=[77]) is before
    same = changed(before, [row(2)])
    assert (same.tag, same.made_at) == (before.tag, before.made_at)
    more = changed(before, [row(3, "hidden")])
    assert (more.tag, more.made_at, more.known) == (before.tag, before.made_at, 3)


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.integers(0, 20), st.sampled_from(["", "x", "hidden"])),
            st.sets(st.integers(0, 20)),
        ),
        max_size=6,
    )
)
def test_changes_lead_where_writing_it_anew_leads(
    steps: list[tuple[dict[int, str], set[int]]],
) -> None:
    one, there = edition([]), dict[int, Row]()
    for written, gone in steps:
        rows = [row(place, text) for place, text in written.items()]
        one = changed(one, rows, sorted(gone - written.keys()))
        there = {place: there[place] for place in there.keys() - gone}
        there.update((each.place, each) for each in rows)
    anew = edition([there[place] for place in sorted(there)])
    assert (texts(one), one.tag, one.known) == (texts(anew), anew.tag, anew.known)


def test_its_tag_says_what_it_holds_and_not_when_it_was_made() -> None:
    rows = [row(n) for n in range(5)]
    later = Edition(LIST, first_parts(rows[:2], RENDERING, LIST), LATER)
    assert changed(later, rows[2:]).tag == edition(rows).tag
    assert edition(rows[:4]).tag != edition(rows).tag


def test_pages_of_it() -> None:
    one = edition([row(n, "hidden" if n == 2 else "") for n in range(8)])
    first = one.select(3)
    assert (first.pieces, first.total, first.is_last) == ([b'"0"', b'"1"', b'"3"'], 7, False)
    second = one.select(3, after=first.last_place)
    assert (second.pieces, second.is_last) == ([b'"4"', b'"5"', b'"6"'], False)
    last = one.select(3, after=second.last_place)
    assert (last.pieces, last.total, last.is_last) == ([b'"7"'], 7, True)
    assert one.select(3, offset=4).pieces == [b'"5"', b'"6"', b'"7"']
    assert one.select(3, offset=4).is_last
    assert one.select(3, offset=70) == ([], 7, None, True)


def test_pages_by_date_include_where_they_begin_and_not_where_they_end() -> None:
    one = edition([row(n, at=NOW + n * SECOND) for n in range(8)])
    window = one.select(2, date_from=NOW + 2 * SECOND, date_to=NOW + 5 * SECOND)
    assert (window.pieces, window.total, window.is_last) == ([b'"2"', b'"3"'], 3, False)
    end = NOW + 5 * SECOND + timedelta(microseconds=1)
    assert one.select(9, date_from=NOW + 2 * SECOND, date_to=end).total == 4
