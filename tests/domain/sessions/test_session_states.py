"""The table of session states holds what its rules say."""

from __future__ import annotations

from itertools import product

from domain.sessions.session_states import (
    CERTAINTY,
    FINAL,
    TABLE,
    Certainty,
    Event,
    Sign,
    Status,
    next_status,
)


def test_every_state_has_its_row_and_what_is_over_does_not_end_again() -> None:
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
        ("COMPLETED", "BEGAN"): "ACTIVE",
        ("INVALID", "BEGAN"): "ACTIVE",
    }
    got = {
        (state.value, event.value): after.value
        for state, event in product(Status, Event)
        if (after := next_status(state.value, event)) is not None
    }
    assert got == expected


def test_the_charge_points_word_ends_every_doubt_and_only_doubt_is_given_up() -> None:
    assert set(CERTAINTY) == set(Certainty)
    assert {row[Sign.WORD] for row in CERTAINTY.values()} == {Certainty.HEARD}
    assert [known for known, row in CERTAINTY.items() if Sign.GIVEN_UP in row] == [
        Certainty.SUSPECT
    ]
