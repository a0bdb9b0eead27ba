"""What an operator asks of a station, by version."""

from __future__ import annotations

import asyncio

import pytest

from cpo_app.ocpp import operations
from cpo_app.ocpp.box import OCPP_16, OCPP_201, Asked
from cpo_app.ocpp.v201.operating import MAX_AT_ONCE
from db_interface.json_data import JsonMapping, JsonObject
from domain.ocpp import ids
from tests.cpo_app.ocpp.fake_box import FakeBox

APP_UID = "aabbccdd-0000-4000-8000-000000000001"
ENTRIES = [
    {"uid": "04AABBCCDD", "token_type": "RFID", "group_id": "FLEET"},
    {"uid": APP_UID, "token_type": "APP_USER"},
]
LOG = {"location": "https://cpo.example/files/1", "request_id": 9, "since": "2026-05-01T00:00:00Z"}
FIRMWARE = {
    "location": "https://cpo.example/files/2",
    "request_id": 9,
    "at": "2026-05-01T00:00:00Z",
}
SIGNED = {**FIRMWARE, "certificate": "-----BEGIN CERTIFICATE-----", "signature": "c2ln"}
ACCEPTED = {"status": "Accepted"}

CALLS: list[tuple[str, str, int, JsonObject, str, JsonObject]] = [
    (OCPP_16, "reset", 0, {"hard": True}, "Reset", {"type": "Hard"}),
    (OCPP_16, "reset", 0, {}, "Reset", {"type": "Soft"}),
    (OCPP_201, "reset", 0, {"hard": True}, "Reset", {"type": "Immediate"}),
    (OCPP_201, "reset", 0, {}, "Reset", {"type": "OnIdle"}),
    (
        OCPP_16,
        "trigger",
        2,
        {"message": "MeterValues"},
        "TriggerMessage",
        {"requestedMessage": "MeterValues", "connectorId": 2},
    ),
    (
        OCPP_16,
        "trigger",
        0,
        {"message": "SignChargePointCertificate"},
        "ExtendedTriggerMessage",
        {"requestedMessage": "SignChargePointCertificate"},
    ),
    (
        OCPP_201,
        "trigger",
        0,
        {"message": "BootNotification"},
        "TriggerMessage",
        {"requestedMessage": "BootNotification"},
    ),
    (
        OCPP_201,
        "trigger",
        2,
        {"message": "StatusNotification"},
        "TriggerMessage",
        {"requestedMessage": "StatusNotification", "evse": {"id": 2, "connectorId": 1}},
    ),
    (OCPP_16, "clear_cache", 0, {}, "ClearCache", {}),
    (OCPP_201, "clear_cache", 0, {}, "ClearCache", {}),
    (
        OCPP_16,
        "local_list",
        0,
        {"version": 3, "full": True, "entries": ENTRIES},
        "SendLocalList",
        {
            "listVersion": 3,
            "updateType": "Full",
            "localAuthorizationList": [
                {
                    "idTag": "04AABBCCDD",
                    "idTagInfo": {"status": "Accepted", "parentIdTag": "FLEET"},
                },
                {"idTag": ids.id_tag(APP_UID), "idTagInfo": {"status": "Accepted"}},
            ],
        },
    ),
    (
        OCPP_201,
        "local_list",
        0,
        {"version": 3, "full": False, "entries": ENTRIES},
        "SendLocalList",
        {
            "versionNumber": 3,
            "updateType": "Differential",
            "localAuthorizationList": [
                {
                    "idToken": {"idToken": "04AABBCCDD", "type": "ISO14443"},
                    "idTokenInfo": {
                        "status": "Accepted",
                        "groupIdToken": {"idToken": "FLEET", "type": "Central"},
                    },
                },
                {
                    "idToken": {"idToken": APP_UID, "type": "Central"},
                    "idTokenInfo": {"status": "Accepted"},
                },
            ],
        },
    ),
    (
        OCPP_201,
        "local_list",
        0,
        {"version": 4, "full": True, "entries": []},
        "SendLocalList",
        {"versionNumber": 4, "updateType": "Full"},
    ),
    (
        OCPP_16,
        "logs",
        0,
        {**LOG, "log": "security"},
        "GetLog",
        {
            "logType": "SecurityLog",
            "requestId": 9,
            "log": {
                "remoteLocation": "https://cpo.example/files/1",
                "oldestTimestamp": "2026-05-01T00:00:00Z",
            },
        },
    ),
    (
        OCPP_201,
        "logs",
        0,
        {**LOG, "log": "diagnostics"},
        "GetLog",
        {
            "logType": "DiagnosticsLog",
            "requestId": 9,
            "log": {
                "remoteLocation": "https://cpo.example/files/1",
                "oldestTimestamp": "2026-05-01T00:00:00Z",
            },
        },
    ),
    (
        OCPP_16,
        "firmware",
        0,
        SIGNED,
        "SignedUpdateFirmware",
        {
            "requestId": 9,
            "firmware": {
                "location": "https://cpo.example/files/2",
                "retrieveDateTime": "2026-05-01T00:00:00Z",
                "signingCertificate": "-----BEGIN CERTIFICATE-----",
                "signature": "c2ln",
            },
        },
    ),
    (
        OCPP_201,
        "firmware",
        0,
        FIRMWARE,
        "UpdateFirmware",
        {
            "requestId": 9,
            "firmware": {
                "location": "https://cpo.example/files/2",
                "retrieveDateTime": "2026-05-01T00:00:00Z",
            },
        },
    ),
]


def ask(box: FakeBox, op: str, fields: JsonMapping, evse: int = 0) -> JsonObject:
    return asyncio.run(operations.carry_out(op, Asked(box, evse, fields, 5.0)))


@pytest.mark.parametrize(
    ("protocol", "op", "evse", "fields", "action", "payload"),
    CALLS,
    ids=[f"{row[0]}-{row[1]}-{row[4]}-{n}" for n, row in enumerate(CALLS)],
)
def test_each_question_is_a_call_that_the_schema_allows(
    protocol: str, op: str, evse: int, fields: JsonObject, action: str, payload: JsonObject
) -> None:
    box = FakeBox(protocol, {action: ACCEPTED})
    assert ask(box, op, fields, evse)["result"] == "ACCEPTED"
    assert box.asked == [(action, payload)]
    refused = FakeBox(protocol, {action: {"status": "Rejected"}})
    assert ask(refused, op, fields, evse)["result"] == "REJECTED"


def test_1_6_uploads_its_diagnostics_or_has_none() -> None:
    fields = {**LOG, "log": "diagnostics"}
    box = FakeBox(OCPP_16, {"GetDiagnostics": {"fileName": "diag.zip"}})
    assert ask(box, "logs", fields) == {"result": "ACCEPTED", "file": "diag.zip"}
    assert box.asked[0][1] == {
        "location": "https://cpo.example/files/1",
        "startTime": "2026-05-01T00:00:00Z",
    }
    assert ask(FakeBox(OCPP_16, {"GetDiagnostics": {}}), "logs", fields)["result"] == "REJECTED"


def test_1_6_updates_its_firmware_without_a_word() -> None:
    box = FakeBox(OCPP_16, {"UpdateFirmware": {}})
    assert ask(box, "firmware", FIRMWARE) == {"result": "ACCEPTED"}
    assert box.asked[0][1] == {
        "location": "https://cpo.example/files/2",
        "retrieveDate": "2026-05-01T00:00:00Z",
    }


def test_1_6_tells_its_configuration() -> None:
    told = {
        "configurationKey": [
            {"key": "HeartbeatInterval", "value": "60", "readonly": False},
            {"key": "AuthorizationKey", "readonly": False},
        ],
        "unknownKey": ["Nonsense"],
    }
    box = FakeBox(OCPP_16, {"GetConfiguration": told})
    keys = ["HeartbeatInterval", "AuthorizationKey", "Nonsense"]
    assert ask(box, "get_configuration", {"keys": keys}) == {
        "result": "ACCEPTED",
        "entries": [
            {"key": "HeartbeatInterval", "value": "60", "readonly": False},
            {"key": "AuthorizationKey", "value": None, "readonly": False},
        ],
        "unknown": ["Nonsense"],
    }
    ask(box, "get_configuration", {})
    assert [payload for _, payload in box.asked] == [{"key": keys}, {}]


def test_1_6_takes_its_configuration_key_by_key() -> None:
    box = FakeBox(OCPP_16, {"ChangeConfiguration": {"status": "RebootRequired"}})
    values = [{"key": "A", "value": "1"}, {"key": "B", "value": "2"}]
    assert ask(box, "set_configuration", {"values": values}) == {
        "result": "ACCEPTED",
        "statuses": [
            {"key": "A", "status": "RebootRequired"},
            {"key": "B", "status": "RebootRequired"},
        ],
    }
    assert [payload for _, payload in box.asked] == values
    refusing = FakeBox(OCPP_16, {"ChangeConfiguration": {"status": "NotSupported"}})
    assert ask(refusing, "set_configuration", {"values": values})["result"] == "REJECTED"


def test_2_0_1_is_asked_for_some_variables_at_a_time() -> None:
    row = {
        "attributeStatus": "Accepted",
        "attributeValue": "A,W",
        "component": {"name": "SmartChargingCtrlr"},
        "variable": {"name": "RateUnit"},
    }
    unknown = {
        "attributeStatus": "UnknownVariable",
        "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 2}},
        "variable": {"name": "Nonsense"},
    }
    box = FakeBox(OCPP_201, {"GetVariables": {"getVariableResult": [row, unknown]}})
    keys = ["SmartChargingCtrlr.RateUnit", "Connector@1:2.Nonsense"]
    assert ask(box, "get_configuration", {"keys": keys}) == {
        "result": "ACCEPTED",
        "entries": [{"key": "SmartChargingCtrlr.RateUnit", "value": "A,W"}],
        "unknown": ["Connector@1:2.Nonsense"],
    }
    ask(box, "get_configuration", {"keys": [f"C.V{n}" for n in range(MAX_AT_ONCE + 1)]})
    sizes = [len(payload["getVariableData"]) for _, payload in box.asked]
    assert sizes == [2, MAX_AT_ONCE, 1]


def test_2_0_1_reports_all_that_it_has_later() -> None:
    box = FakeBox(OCPP_201, {"GetBaseReport": ACCEPTED})
    said = ask(box, "get_configuration", {"request_id": 9})
    assert said == {"result": "ACCEPTED", "said": "Accepted", "reported_later": True}
    assert box.asked == [("GetBaseReport", {"requestId": 9, "reportBase": "FullInventory"})]


def test_2_0_1_takes_variables() -> None:
    result = {
        "attributeStatus": "Rejected",
        "component": {"name": "AuthCtrlr"},
        "variable": {"name": "Enabled"},
    }
    box = FakeBox(OCPP_201, {"SetVariables": {"setVariableResult": [result]}})
    values = [{"key": "AuthCtrlr.Enabled", "value": "true"}]
    assert ask(box, "set_configuration", {"values": values}) == {
        "result": "REJECTED",
        "statuses": [{"key": "AuthCtrlr.Enabled", "status": "Rejected"}],
    }
    data = {
        "component": {"name": "AuthCtrlr"},
        "variable": {"name": "Enabled"},
        "attributeValue": "true",
    }
    assert box.asked == [("SetVariables", {"setVariableData": [data]})]


def test_a_name_that_is_no_variable_is_refused_before_anything_is_asked() -> None:
    box = FakeBox(OCPP_201, {})
    said = ask(box, "set_configuration", {"values": [{"key": "HeartbeatInterval", "value": "1"}]})
    assert said["result"] == "REJECTED"
    assert "write COMPONENT.VARIABLE" in said["message"]
    assert box.asked == []


@pytest.mark.parametrize(
    ("protocol", "field"), [(OCPP_16, "listVersion"), (OCPP_201, "versionNumber")]
)
def test_the_version_of_the_local_list(protocol: str, field: str) -> None:
    said = ask(FakeBox(protocol, {"GetLocalListVersion": {field: 7}}), "local_list_version", {})
    assert said == {"result": "ACCEPTED", "version": 7}


def test_any_action_can_be_called_as_it_is() -> None:
    box = FakeBox(OCPP_16, {"DataTransfer": {"status": "Accepted", "data": "pong"}})
    fields = {"action": "DataTransfer", "payload": {"vendorId": "com.example", "data": "ping"}}
    assert ask(box, "call", fields) == {
        "result": "ACCEPTED",
        "answer": {"status": "Accepted", "data": "pong"},
    }
