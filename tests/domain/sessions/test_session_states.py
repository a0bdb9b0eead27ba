"""The table of session states holds what its rules say."""

from __future__ import annotations

from itertools import product

from domain.sessions.session_states import FINAL, TABLE, Event, Status, next_status


def test_every_state_has_its_row_and_only_what_is_over_has_an_empty_one() -> None:
    assert set(TABLE) == set(Status)
    assert {Status.COMPLETED, Status.INVALID} == FINAL


def test_what_each_event_makes_of_each_state() -> None:
    expected = {
        ("PENDING", "BEGAN"): "ACTIVE",
        ("PENDING", "ENDED"): "INVALID",
        ("RESERVATION", "BEGAN"): "ACTIVE",
        ("RESERVATION", "ENDED"): "COMPLETED",
        ("ACTIVE", "BEGAN"): "ACTIVE",
        ("ACTIVE", "ENDED"): "COMPLETED",
    }
    got = {
        (state.value, event.value): after.value
        for state, event in product(Status, Event)
        if (after := next_status(state.value, event)) is not None
    }
    assert got == expected
