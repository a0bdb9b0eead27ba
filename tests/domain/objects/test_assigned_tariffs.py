"""The operator's word on tariffs, and what is left when it is taken back. Pure."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.objects.assigned_tariffs import (
    Assigned,
    Given,
    Word,
    rows_of,
    with_words,
    without_words,
)
from tests.domain.schemas.samples import connector, evse, location

AT = datetime(2025, 1, 1, tzinfo=timezone.utc)


def word(*tariff_ids: str, evse_uid: str | None = None, connector_id: str | None = None) -> Word:
    return {
        "evse_uid": evse_uid,
        "connector_id": connector_id,
        "tariff_ids": list(tariff_ids),
        "by": "ines",
        "at": AT,
    }


def assigned(*words: Word, given: list[Given] | None = None) -> Assigned:
    return {"words": list(words), "given": given or []}


def place() -> dict[str, Any]:
    """E1 with connectors 1 (which names OLD) and 2; E2 with connector 1."""
    return location(
        evses=[
            evse(uid="E1", connectors=[connector(tariff_ids=["OLD"]), connector(id="2")]),
            evse(uid="E2"),
        ]
    )


def shown(location: Any, words: Assigned | None, default: str | None = None) -> list[Any]:
    return [tuple(row) for row in rows_of(location, words, default)]


def test_the_closest_word_counts() -> None:
    said = assigned(word("L"), word("E", evse_uid="e1"), word("C", evse_uid="E1", connector_id="2"))
    changed, kept = with_words(place(), said)
    assert shown(changed, kept) == [
        ("E1", "1", ["E"], "EVSE"),
        ("E1", "2", ["C"], "connector"),
        ("E2", "1", ["L"], "location"),
    ]


def test_without_a_word_it_is_what_was_given_or_the_default() -> None:
    assert shown(place(), None, "DAY") == [
        ("E1", "1", ["OLD"], "given"),
        ("E1", "2", ["DAY"], "default"),
        ("E2", "1", ["DAY"], "default"),
    ]
    assert shown(place(), None)[2] == ("E2", "1", [], "none")


def test_a_removed_evse_stays_as_it_was() -> None:
    gone = location(evses=[evse(uid="E1", status="REMOVED")])
    changed, _ = with_words(gone, assigned(word("L")))
    assert changed == gone and shown(changed, assigned(word("L"))) == []


def test_a_location_without_evses_is_left_alone() -> None:
    assert with_words(location(), assigned(word("L")))[0] == location()


NAMES = st.lists(st.sampled_from(["T1", "T2", "T3"]), min_size=1, max_size=2, unique=True)
PLACES = st.sampled_from(
    [(None, None), ("E1", None), ("e2", None), ("E1", "1"), ("E1", "2"), ("E9", "1")]
)
WORDS = st.lists(st.tuples(PLACES, NAMES), max_size=5, unique_by=lambda one: one[0])


@given(WORDS)
def test_what_is_taken_back_leaves_what_was_given(said: list[Any]) -> None:
    words = [word(*ids, evse_uid=at[0], connector_id=at[1]) for at, ids in said]
    changed, kept = with_words(place(), assigned(*words))
    assert without_words(changed, kept) == place()
    # Said twice is said once.
    again, kept_again = with_words(without_words(changed, kept), kept)
    assert (again, kept_again) == (changed, kept)
