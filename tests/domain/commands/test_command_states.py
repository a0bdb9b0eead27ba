"""The table of a command's life."""

from __future__ import annotations

import pytest

from domain.commands.command_states import FINAL, OPEN, TABLE, Event, Refused, State, next_state


def test_every_state_has_its_row_and_every_row_leads_to_a_state() -> None:
    assert set(TABLE) == set(State)
    assert {event for row in TABLE.values() for event in row} == set(Event)
    assert {state for row in TABLE.values() for state in row.values()} == set(State)


def test_open_are_those_that_a_deadline_ends_and_final_those_that_nothing_changes() -> None:
    assert OPEN == ("RECEIVED", "SENT")
    assert FINAL == ("DELIVERED", "UNDELIVERED", "CLOSED")


def test_from_everywhere_there_is_a_way_to_an_end() -> None:
    ends = set(FINAL)
    while True:
        more = {
            state.value
            for state, row in TABLE.items()
            if any(after.value in ends for after in row.values())
        } - ends
        if not more:
            break
        ends |= more
    assert ends == {state.value for state in State}


def test_the_first_decision_holds() -> None:
    assert next_state("SENT", Event.EXPIRED) is State.RESULT
    for late in (Event.ANSWERED, Event.EXPIRED, Event.SEND, Event.MOVED):
        with pytest.raises(Refused, match=f"{late.value} in RESULT"):
            next_state("RESULT", late)


def test_nothing_is_told_before_it_is_decided() -> None:
    for state in OPEN:
        with pytest.raises(Refused):
            next_state(state, Event.DELIVERED)
