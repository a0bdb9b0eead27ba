"""The tables that make an OCPI EVSE status of what is known of a charge point."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from py_ocpi.modules.locations.enums import Status

from domain.charge_points.evse_states import (
    PRESENCE,
    STATUS,
    ConnectorState,
    EvseStatus,
    Facts,
    Presence,
    Sign,
    View,
    deciding,
    status_of,
    view_of,
)

C = ConnectorState
ONLINE, SILENT, NEVER = Presence.ONLINE, Presence.SILENT, Presence.NEVER_SEEN


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        # DESIGN's table, row by row.
        (Facts(presence=ONLINE), "AVAILABLE"),
        (Facts(presence=ONLINE, connector=C.CHARGING, plugged=True), "CHARGING"),
        (Facts(presence=ONLINE, connector=C.RESERVED), "RESERVED"),
        (Facts(presence=ONLINE, faulty=True), "OUTOFORDER"),
        (Facts(presence=ONLINE, operative=False), "INOPERATIVE"),
        (Facts(presence=ONLINE, connector=C.PREPARING, plugged=True), "BLOCKED"),
        (Facts(presence=SILENT), "UNKNOWN"),
        (Facts(presence=NEVER), "UNKNOWN"),
        (Facts(presence=ONLINE, registered=False), "REMOVED"),
        # What else an engine can report.
        (Facts(presence=ONLINE, connector=C.SUSPENDED, plugged=True), "CHARGING"),
        (Facts(presence=ONLINE, connector=C.FINISHING, plugged=True), "BLOCKED"),
        (Facts(presence=ONLINE, connector=C.PREPARING), "RESERVED"),
        (Facts(presence=ONLINE, connector=C.FAULTED), "OUTOFORDER"),
        (Facts(presence=ONLINE, connector=C.INOPERATIVE), "INOPERATIVE"),
        (Facts(presence=ONLINE, reserved=True), "RESERVED"),
        # Who goes before whom.
        (Facts(presence=SILENT, registered=False, operative=False, faulty=True), "REMOVED"),
        (Facts(presence=SILENT, operative=False, faulty=True), "INOPERATIVE"),
        (Facts(presence=ONLINE, operative=False, connector=C.CHARGING), "CHARGING"),
        (Facts(presence=SILENT, operative=False, connector=C.CHARGING), "INOPERATIVE"),
        (Facts(presence=SILENT, faulty=True, connector=C.CHARGING), "UNKNOWN"),
        (Facts(presence=SILENT, connector=C.INOPERATIVE), "UNKNOWN"),
        (Facts(presence=ONLINE, faulty=True, connector=C.CHARGING, plugged=True), "OUTOFORDER"),
        (Facts(presence=ONLINE, faulty=True, connector=C.INOPERATIVE), "OUTOFORDER"),
        (Facts(presence=ONLINE, connector=C.CHARGING, plugged=True, reserved=True), "CHARGING"),
        (Facts(presence=ONLINE, connector=C.RESERVED, plugged=True, reserved=True), "RESERVED"),
    ],
)
def test_each_row_of_the_table(facts: Facts, status: str) -> None:
    assert status_of(facts).value == status


facts = st.builds(
    Facts,
    registered=st.booleans(),
    operative=st.booleans(),
    presence=st.sampled_from(Presence),
    faulty=st.booleans(),
    connector=st.sampled_from(ConnectorState),
    plugged=st.booleans(),
    reserved=st.booleans(),
)


@given(facts)
def test_any_facts_have_one_status_that_ocpi_knows(facts: Facts) -> None:
    assert Status(status_of(facts).value)
    assert status_of(facts) is STATUS[view_of(facts)]


@given(facts)
def test_available_is_said_only_of_what_could_charge_a_stranger_now(facts: Facts) -> None:
    if status_of(facts) is EvseStatus.AVAILABLE:
        assert facts == Facts(presence=Presence.ONLINE)


def test_every_view_has_its_own_status() -> None:
    assert set(STATUS) == set(View)
    assert len(set(STATUS.values())) == len(View)


def test_the_presence_table_knows_every_pair() -> None:
    assert {(state, sign) for state in PRESENCE for sign in PRESENCE[state]} == {
        (state, sign) for state in Presence for sign in Sign
    }
    assert PRESENCE[Presence.SILENT][Sign.HEARD] is Presence.ONLINE
    assert PRESENCE[Presence.ONLINE][Sign.MISSED] is Presence.SILENT
    assert PRESENCE[Presence.NEVER_SEEN][Sign.MISSED] is Presence.NEVER_SEEN


@pytest.mark.parametrize(
    ("states", "stands_for_the_evse"),
    [
        ([], C.AVAILABLE),
        ([C.AVAILABLE, C.CHARGING], C.CHARGING),
        ([C.FAULTED, C.AVAILABLE], C.AVAILABLE),
        ([C.FAULTED, C.INOPERATIVE], C.INOPERATIVE),
        ([C.FAULTED, C.FAULTED], C.FAULTED),
        ([C.PREPARING, C.RESERVED, C.AVAILABLE], C.PREPARING),
    ],
)
def test_one_connector_stands_for_the_evse(
    states: list[ConnectorState], stands_for_the_evse: ConnectorState
) -> None:
    assert deciding(states) is stands_for_the_evse


@given(st.sets(st.sampled_from(ConnectorState), min_size=1))
def test_the_deciding_state_is_one_of_the_reported(states: set[ConnectorState]) -> None:
    assert deciding(states) in states
