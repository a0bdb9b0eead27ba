"""What a station is asked so that it charges, by version, and what its answers mean."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from cpo_app.central.link.link import LinkResult
from cpo_app.ocpp import operations
from cpo_app.ocpp.box import OCPP_16, OCPP_21, OCPP_201, Asked, CallRefused, NotAnswered
from cpo_app.ocpp.outcomes import Outcome
from db_interface.json_data import JsonMapping, JsonObject
from domain.ocpp import ids
from tests.cpo_app.ocpp.fake_box import FakeBox

UID = "04AABBCCDD"
APP_UID = "aabbccdd-0000-4000-8000-000000000001"
PROFILE = {
    "charging_rate_unit": "A",
    "charging_profile_period": [{"start_period": 0, "limit": 16.1}],
}
CONNECTOR = {"power_type": "AC_3_PHASE", "max_voltage": 230, "max_amperage": 32}
COMPOSITE = {
    "chargingRateUnit": "W",
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11000}],
}
FIELDS: dict[str, JsonObject] = {
    "start": {"session_id": "s-1", "id_tag": UID, "token_type": "RFID"},
    "stop": {"session_id": "s-1", "transaction_id": 77},
    "unlock": {},
    "reserve": {"reservation_id": "R-1", "id_tag": APP_UID, "expiry": "2026-05-01T12:30:00Z"},
    "cancel_reservation": {"reservation_id": "R-1"},
    "set_limit": {
        "session_id": "s-1",
        "transaction_id": 77,
        "limit": PROFILE,
        "connector": CONNECTOR,
        "rate_units": ["A", "W"],
    },
    "clear_limit": {"session_id": "s-1", "transaction_id": 77},
    "active_profile": {"session_id": "s-1", "duration_s": 600, "now": "2026-05-01T12:00:00Z"},
    "set_operative": {"operative": False},
    "get_status": {},
}
START_ID = ids.remote_start_id("s-1")
PROFILE_ID = ids.profile_id("s-1")
RESERVATION = ids.reservation_number("R-1")
SCHEDULE = {
    "chargingRateUnit": "A",
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.1, "numberPhases": 3}],
}

ASKED: dict[str, dict[str, tuple[str, JsonObject]]] = {
    OCPP_16: {
        "start": ("RemoteStartTransaction", {"connectorId": 2, "idTag": UID}),
        "stop": ("RemoteStopTransaction", {"transactionId": 77}),
        "unlock": ("UnlockConnector", {"connectorId": 2}),
        "reserve": (
            "ReserveNow",
            {
                "connectorId": 2,
                "expiryDate": "2026-05-01T12:30:00Z",
                "idTag": ids.id_tag(APP_UID),
                "reservationId": RESERVATION,
            },
        ),
        "cancel_reservation": ("CancelReservation", {"reservationId": RESERVATION}),
        "set_limit": (
            "SetChargingProfile",
            {
                "connectorId": 2,
                "csChargingProfiles": {
                    "chargingProfileId": PROFILE_ID,
                    "transactionId": 77,
                    "stackLevel": 0,
                    "chargingProfilePurpose": "TxProfile",
                    "chargingProfileKind": "Relative",
                    "chargingSchedule": SCHEDULE,
                },
            },
        ),
        "clear_limit": ("ClearChargingProfile", {"id": PROFILE_ID}),
        "active_profile": ("GetCompositeSchedule", {"connectorId": 2, "duration": 600}),
        "set_operative": ("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"}),
        "get_status": (
            "TriggerMessage",
            {"requestedMessage": "StatusNotification", "connectorId": 2},
        ),
    },
    OCPP_201: {
        "start": (
            "RequestStartTransaction",
            {
                "evseId": 2,
                "idToken": {"idToken": UID, "type": "ISO14443"},
                "remoteStartId": START_ID,
            },
        ),
        "stop": ("RequestStopTransaction", {"transactionId": "77"}),
        "unlock": ("UnlockConnector", {"evseId": 2, "connectorId": 1}),
        "reserve": (
            "ReserveNow",
            {
                "id": RESERVATION,
                "expiryDateTime": "2026-05-01T12:30:00Z",
                "idToken": {"idToken": APP_UID, "type": "Central"},
                "evseId": 2,
            },
        ),
        "cancel_reservation": ("CancelReservation", {"reservationId": RESERVATION}),
        "set_limit": (
            "SetChargingProfile",
            {
                "evseId": 2,
                "chargingProfile": {
                    "id": PROFILE_ID,
                    "stackLevel": 0,
                    "chargingProfilePurpose": "TxProfile",
                    "chargingProfileKind": "Relative",
                    "transactionId": "77",
                    "chargingSchedule": [{"id": PROFILE_ID, **SCHEDULE}],
                },
            },
        ),
        "clear_limit": ("ClearChargingProfile", {"chargingProfileId": PROFILE_ID}),
        "active_profile": ("GetCompositeSchedule", {"evseId": 2, "duration": 600}),
        "set_operative": (
            "ChangeAvailability",
            {"operationalStatus": "Inoperative", "evse": {"id": 2}},
        ),
        "get_status": (
            "TriggerMessage",
            {"requestedMessage": "StatusNotification", "evse": {"id": 2, "connectorId": 1}},
        ),
    },
}
ASKED[OCPP_21] = ASKED[OCPP_201]


def ask(
    box: FakeBox, op: str, fields: JsonMapping | None = None, *, evse: int = 2, one: bool = False
) -> JsonObject:
    asked = Asked(box, evse, FIELDS[op] if fields is None else fields, 5.0, one_evse=one)
    return asyncio.run(operations.carry_out(op, asked))


def saying(protocol: str, action: str, said: JsonMapping | Exception) -> FakeBox:
    return FakeBox(protocol, {action: said})


@pytest.mark.parametrize("protocol", list(ASKED))
def test_each_operation_is_a_call_that_the_schema_allows(protocol: str) -> None:
    assert set(ASKED[protocol]) <= set(operations.OPERATIONS[protocol])
    for op, (action, payload) in ASKED[protocol].items():
        box = saying(protocol, action, {"status": "Rejected"})
        ask(box, op)
        assert box.asked == [(action, payload)], op


ANSWERS: Mapping[str, Mapping[str, Outcome]] = {
    "start": {"Accepted": Outcome.ACCEPTED, "Rejected": Outcome.REJECTED},
    "stop": {"Accepted": Outcome.ACCEPTED, "Rejected": Outcome.REJECTED},
    "unlock": {"Unlocked": Outcome.ACCEPTED, "UnlockFailed": Outcome.UNLOCK_FAILED},
    "reserve": {
        "Accepted": Outcome.ACCEPTED,
        "Rejected": Outcome.REJECTED,
        "Faulted": Outcome.FAULT,
        "Occupied": Outcome.OCCUPIED,
        "Unavailable": Outcome.INOPERATIVE,
    },
    "cancel_reservation": {
        "Accepted": Outcome.ACCEPTED,
        "Rejected": Outcome.UNKNOWN_RESERVATION,
    },
    "set_limit": {"Accepted": Outcome.ACCEPTED, "Rejected": Outcome.REJECTED},
    "set_operative": {
        "Accepted": Outcome.ACCEPTED,
        "Scheduled": Outcome.ACCEPTED,
        "Rejected": Outcome.REJECTED,
    },
    "get_status": {
        "Accepted": Outcome.ACCEPTED,
        "Rejected": Outcome.REJECTED,
        "NotImplemented": Outcome.NOT_SUPPORTED,
    },
}


@pytest.mark.parametrize("protocol", list(ASKED))
def test_each_answer_has_one_meaning(protocol: str) -> None:
    for op, meanings in ANSWERS.items():
        action, _ = ASKED[protocol][op]
        for status, result in meanings.items():
            said = ask(saying(protocol, action, {"status": status}), op)
            assert said == {"result": result.value, "said": status}, (op, status)


def test_only_1_6_says_that_it_cannot_unlock_or_takes_no_profiles() -> None:
    unlock = ask(saying(OCPP_16, "UnlockConnector", {"status": "NotSupported"}), "unlock")
    assert unlock["result"] == "NOT_SUPPORTED"
    limit = ask(saying(OCPP_16, "SetChargingProfile", {"status": "NotSupported"}), "set_limit")
    assert limit["result"] == "NOT_SUPPORTED"


def test_2_0_1_lets_no_plug_go_that_charges() -> None:
    said = ask(
        saying(OCPP_201, "UnlockConnector", {"status": "OngoingAuthorizedTransaction"}), "unlock"
    )
    assert said["result"] == "REJECTED"
    assert said["message"] == "a session runs there: stop it first"


@pytest.mark.parametrize("protocol", list(ASKED))
def test_a_profile_that_is_not_there(protocol: str) -> None:
    box = saying(protocol, "ClearChargingProfile", {"status": "Unknown"})
    assert ask(box, "clear_limit")["message"] == "NO_PROFILE"
    assert ask(saying(protocol, "ClearChargingProfile", {"status": "Accepted"}), "clear_limit")[
        "result"
    ] == ("ACCEPTED")


@pytest.mark.parametrize("protocol", list(ASKED))
@pytest.mark.parametrize("status", ["Accepted", "Unknown"])
def test_a_profile_without_periods_takes_the_one_before_away(protocol: str, status: str) -> None:
    box = saying(protocol, "ClearChargingProfile", {"status": status})
    fields = {**FIELDS["set_limit"], "limit": {"charging_rate_unit": "A"}}
    assert ask(box, "set_limit", fields)["result"] == "ACCEPTED"
    assert [action for action, _ in box.asked] == ["ClearChargingProfile"]


@pytest.mark.parametrize("protocol", list(ASKED))
def test_limits_are_told_in_a_unit_that_the_station_takes(protocol: str) -> None:
    box = saying(protocol, "SetChargingProfile", {"status": "Accepted"})
    ask(box, "set_limit", {**FIELDS["set_limit"], "rate_units": ["W"]})
    assert "'limit': 11109.0" in str(box.asked[0][1])
    refused = ask(box, "set_limit", {**FIELDS["set_limit"], "rate_units": ["W"], "connector": None})
    assert refused == {
        "result": "REJECTED",
        "message": "the charge point takes limits in W alone",
    }


def test_the_composite_schedule_of_1_6_begins_when_it_says() -> None:
    said = ask(
        saying(
            OCPP_16,
            "GetCompositeSchedule",
            {
                "status": "Accepted",
                "connectorId": 2,
                "scheduleStart": "2026-05-01T12:00:05Z",
                "chargingSchedule": COMPOSITE,
            },
        ),
        "active_profile",
    )
    assert said["result"] == "ACCEPTED"
    assert said["profile"]["start_date_time"] == "2026-05-01T12:00:05Z"


def test_the_composite_schedule_of_2_0_1_is_one_object() -> None:
    schedule = {
        **COMPOSITE,
        "evseId": 2,
        "duration": 600,
        "scheduleStart": "2026-05-01T12:00:05Z",
    }
    answer = {"status": "Accepted", "schedule": schedule}
    said = ask(saying(OCPP_201, "GetCompositeSchedule", answer), "active_profile")
    assert said["profile"] == {
        "start_date_time": "2026-05-01T12:00:05Z",
        "charging_profile": {
            "start_date_time": "2026-05-01T12:00:05Z",
            "duration": 600,
            "charging_rate_unit": "W",
            "charging_profile_period": [{"start_period": 0, "limit": 11000.0}],
        },
    }


@pytest.mark.parametrize("protocol", list(ASKED))
@pytest.mark.parametrize("answer", [{"status": "Accepted"}, {"status": "Rejected"}, {}])
def test_without_a_composite_schedule_there_is_no_profile(
    protocol: str, answer: JsonObject
) -> None:
    said = ask(saying(protocol, "GetCompositeSchedule", answer), "active_profile")
    assert said["result"] == "REJECTED"
    assert "profile" not in said


@pytest.mark.parametrize("protocol", list(ASKED))
def test_an_error_is_an_answer_and_silence_is_none(protocol: str) -> None:
    action, _ = ASKED[protocol]["start"]
    refused = CallRefused("InternalError", "relay stuck")
    assert ask(saying(protocol, action, refused), "start") == {
        "result": "REJECTED",
        "message": "InternalError: relay stuck",
        "said": "InternalError",
    }
    unknown = CallRefused("NotImplemented")
    assert ask(saying(protocol, action, unknown), "start")["result"] == "NOT_SUPPORTED"
    with pytest.raises(NotAnswered):
        ask(saying(protocol, action, NotAnswered("closed", sent=None)), "start")


def test_the_station_s_own_words_are_shown() -> None:
    info = {"reasonCode": "CSNotAccepted", "additionalInfo": "booting"}
    said = ask(
        saying(OCPP_201, "RequestStartTransaction", {"status": "Rejected", "statusInfo": info}),
        "start",
    )
    assert said["message"] == "CSNotAccepted: booting"


def test_where_1_6_s_connectors_are_of_one_evse_the_connector_is_named() -> None:
    box = saying(OCPP_16, "RemoteStartTransaction", {"status": "Accepted"})
    fields = {**FIELDS["start"], "connector_id": "2"}
    ask(box, "start", fields, evse=1, one=True)
    ask(box, "start", FIELDS["start"], evse=1, one=True)
    assert [payload["connectorId"] for _, payload in box.asked] == [2, 1]


def test_an_evse_of_several_connectors_goes_out_of_service_with_all_of_them() -> None:
    box = FakeBox(
        OCPP_16,
        {"ChangeAvailability": {"status": "Accepted"}, "TriggerMessage": {"status": "Accepted"}},
    )
    ask(box, "set_operative", evse=1, one=True)
    ask(box, "get_status", evse=1, one=True)
    assert [payload for _, payload in box.asked] == [
        {"connectorId": 0, "type": "Inoperative"},
        {"requestedMessage": "StatusNotification"},
    ]


def test_the_whole_station_goes_out_of_service() -> None:
    old = saying(OCPP_16, "ChangeAvailability", {"status": "Accepted"})
    ask(old, "set_operative", evse=0)
    assert old.asked == [("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"})]
    new = saying(OCPP_201, "ChangeAvailability", {"status": "Accepted"})
    ask(new, "set_operative", evse=0)
    assert new.asked == [("ChangeAvailability", {"operationalStatus": "Inoperative"})]


def test_what_is_no_operation_is_not_supported() -> None:
    assert ask(FakeBox(OCPP_16, {}), "levitate", {}) == {
        "result": "NOT_SUPPORTED",
        "message": "levitate: not in ocpp1.6",
    }


def test_outcomes_are_words_of_the_link() -> None:
    assert {one.value for one in Outcome} <= {one.value for one in LinkResult}
