from __future__ import annotations

import re
from pathlib import Path

import pytest

from cpo_app.charge_point.states import TABLE, Event, Refused, State, next_state

DOCS = Path(__file__).parents[3] / "docs" / "charge-point.md"


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", list(Event))
def test_every_pair_leads_where_the_documented_table_says(state: State, event: Event) -> None:
    documented = _documented_table()[state.value][event.value]
    if documented == "–":
        with pytest.raises(Refused):
            next_state(state, event)
    else:
        assert next_state(state, event).value == documented


def test_every_state_can_be_reached_and_left_again() -> None:
    reached = {State.AVAILABLE}
    for _ in State:
        reached |= {target for state in reached for target in TABLE[state].values()}
    assert reached == set(State)
    home = {State.AVAILABLE}
    for _ in State:
        home |= {state for state, row in TABLE.items() if home & set(row.values())}
    assert home == set(State)


@pytest.mark.parametrize("state", list(State))
def test_a_fault_is_never_ignored(state: State) -> None:
    assert next_state(state, Event.FAULT) is State.FAULTED


def _documented_table() -> dict[str, dict[str, str]]:
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in DOCS.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| (event|[A-Z_]+) ", line)
    ]
    states = rows[0][1:]
    table: dict[str, dict[str, str]] = {state: {} for state in states}
    for event, *targets in rows[1:]:
        for state, target in zip(states, targets, strict=True):
            table[state][event] = target
    return table
