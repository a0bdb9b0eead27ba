"""What OCPP's statuses come to, up to the OCPI status that drivers see."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ocpp.v16.enums import ChargePointStatus
from ocpp.v201.enums import ChargingStateEnumType, ConnectorStatusEnumType

from domain.charge_points.evse_states import ConnectorState, Facts, Presence, status_of
from domain.ocpp.status_mapping import (
    IN_TRANSACTION,
    OF_2,
    OF_16,
    Told,
    told_2,
    told_16,
    told_by_transaction,
)


def shown(told: Told | None) -> str:
    assert told is not None
    plugged = told.ev_state == "plugged"
    facts = Facts(presence=Presence.ONLINE, connector=told.state, plugged=plugged)
    return status_of(facts).value


@pytest.mark.parametrize(
    ("status", "ocpi"),
    [
        ("Available", "AVAILABLE"),
        ("Preparing", "BLOCKED"),
        ("Charging", "CHARGING"),
        ("SuspendedEVSE", "CHARGING"),
        ("SuspendedEV", "CHARGING"),
        ("Finishing", "BLOCKED"),
        ("Reserved", "RESERVED"),
        ("Unavailable", "INOPERATIVE"),
        ("Faulted", "OUTOFORDER"),
    ],
)
def test_each_status_of_16_is_shown(status: str, ocpi: str) -> None:
    assert shown(told_16(status)) == ocpi


def test_every_word_of_the_standards_has_a_row() -> None:
    assert set(OF_16) == {one.value for one in ChargePointStatus}
    assert set(OF_2) == {one.value for one in ConnectorStatusEnumType}
    assert set(IN_TRANSACTION) == {one.value for one in ChargingStateEnumType}


@pytest.mark.parametrize(
    ("status", "charging_state", "ocpi"),
    [
        ("Occupied", None, "BLOCKED"),
        ("Occupied", "EVConnected", "BLOCKED"),
        ("Occupied", "Charging", "CHARGING"),
        ("Occupied", "SuspendedEV", "CHARGING"),
        ("Occupied", "Idle", "RESERVED"),
        ("Available", "Charging", "CHARGING"),
        ("Available", None, "AVAILABLE"),
        ("Faulted", "Charging", "OUTOFORDER"),
        ("Reserved", None, "RESERVED"),
    ],
)
def test_in_2_a_transaction_says_more_than_the_connector(
    status: str, charging_state: str | None, ocpi: str
) -> None:
    assert shown(told_2(status, charging_state)) == ocpi


@given(
    st.sampled_from(sorted(OF_2)),
    st.none() | st.sampled_from(sorted(IN_TRANSACTION)),
    st.sampled_from(list(ConnectorState)),
)
def test_a_fault_is_shown_whatever_else_is_told(
    status: str, charging_state: str | None, known: ConnectorState
) -> None:
    """And no connector is shown free while a transaction says that it charges."""
    ocpi = shown(told_2(status, charging_state))

    assert (ocpi == "OUTOFORDER") == (status == "Faulted")
    if charging_state in ("Charging", "SuspendedEV", "SuspendedEVSE"):
        assert ocpi != "AVAILABLE"
    follows = told_by_transaction(known, charging_state)
    if known is ConnectorState.FAULTED or charging_state is None:
        assert follows is None
    else:
        assert follows == IN_TRANSACTION[charging_state]


def test_words_of_no_standard_say_nothing() -> None:
    assert told_16("Melting") is None
    assert told_2("Melting", "Charging") is None
    assert told_2("Occupied", "Melting") == OF_2["Occupied"]


def _rows(title: str) -> list[list[str]]:
    page = (Path(__file__).parents[3] / "docs" / "ocpp-sessions.md").read_text()
    rows = page.split(f"| {title}")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_documented_tables_are_these() -> None:
    for statuses, ocpi in _rows("1.6 | OCPI |"):
        for status in statuses.split(", "):
            assert shown(told_16(status)) == ocpi, status
    columns: tuple[list[str | None], ...] = (
        [None],
        ["EVConnected"],
        ["Charging", "SuspendedEV", "SuspendedEVSE"],
        ["Idle"],
    )
    rows = _rows("2.0.1, 2.1 | no transaction")
    assert {row[0] for row in rows} == set(OF_2)
    for status, *cells in rows:
        for ocpi, states in zip(cells, columns, strict=True):
            for state in states:
                assert shown(told_2(status, state)) == ocpi, (status, state)
