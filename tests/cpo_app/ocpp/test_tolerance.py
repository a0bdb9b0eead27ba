"""What real boxes send is mended, each mend by its name; what is right stays as it is."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpo_app.ocpp import schemas, tolerance
from cpo_app.ocpp.schemas import PayloadInvalid

AT = datetime(2025, 5, 1, 12, tzinfo=timezone.utc)
NOW = "2025-05-01T12:00:00Z"
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
START = {"connectorId": 1, "idTag": "A", "meterStart": 5, "timestamp": NOW}


def values(*samples: Any, at: str = NOW) -> dict[str, Any]:
    return {"connectorId": 1, "meterValue": [{"timestamp": at, "sampledValue": list(samples)}]}


CASES: list[tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("1.6", "StatusNotification", {**STATUS, "colour": "red"}, STATUS, ["extra_field"]),
    ("1.6", "StatusNotification", {**STATUS, "info": None}, STATUS, ["null"]),
    (
        "1.6",
        "StatusNotification",
        {"connectorID": "1", "errorCode": "noerror", "status": "available"},
        STATUS,
        ["field_case", "number_as_text", "enum_case", "enum_case"],
    ),
    ("1.6", "StartTransaction", {**START, "meterStart": "5"}, START, ["number_as_text"]),
    ("1.6", "StartTransaction", {**START, "meterStart": 5.4}, START, ["fraction"]),
    (
        "1.6",
        "StartTransaction",
        {**START, "meterStart": "5,4"},
        START,
        ["number_as_text", "fraction"],
    ),
    (
        "1.6",
        "StartTransaction",
        {**START, "idTag": 4711},
        {**START, "idTag": "4711"},
        ["text_as_number"],
    ),
    (
        "1.6",
        "StartTransaction",
        {**START, "timestamp": "2025-05-01 12:00:00"},
        START,
        ["time_form"],
    ),
    ("1.6", "StartTransaction", {**START, "timestamp": 1746100800}, START, ["time_form"]),
    ("1.6", "StartTransaction", {**START, "timestamp": "yesterday"}, START, ["no_time"]),
    (
        "1.6",
        "StartTransaction",
        {name: value for name, value in START.items() if name != "timestamp"},
        START,
        ["no_time"],
    ),
    (
        "1.6",
        "StartTransaction",
        {**START, "idTag": "X" * 30},
        {**START, "idTag": "X" * 30},
        ["too_long"],
    ),
    (
        "1.6",
        "StopTransaction",
        {"transactionId": 1, "meterStop": 9, "timestamp": NOW, "reason": "Earthquake"},
        {"transactionId": 1, "meterStop": 9, "timestamp": NOW},
        ["unknown_value"],
    ),
    (
        "1.6",
        "MeterValues",
        values({"value": 7.5, "unit": "wh"}),
        values({"value": "7.5", "unit": "Wh"}),
        ["text_as_number", "enum_case"],
    ),
    (
        "1.6",
        "MeterValues",
        values({"value": "7", "measurand": "Energy.Of.The.Sun"}, {"value": "8"}),
        values({"value": "8"}),
        ["unknown_sample"],
    ),
    (
        "1.6",
        "MeterValues",
        {"connectorId": 1, "meterValue": {"timestamp": NOW, "sampledValue": {"value": "8"}}},
        values({"value": "8"}),
        ["not_a_list", "not_a_list"],
    ),
    (
        "2.0.1",
        "TransactionEvent",
        {
            "eventType": "started",
            "timestamp": NOW,
            "triggerReason": "CablePluggedIn",
            "seqNo": "0",
            "offline": "false",
            "transactionInfo": {"transactionId": 12},
        },
        {
            "eventType": "Started",
            "timestamp": NOW,
            "triggerReason": "CablePluggedIn",
            "seqNo": 0,
            "offline": False,
            "transactionInfo": {"transactionId": "12"},
        },
        ["enum_case", "number_as_text", "truth_as_text", "text_as_number"],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[1]}-{'+'.join(case[4])}")
def test_it_is_mended(
    case: tuple[str, str, dict[str, Any], dict[str, Any], list[str]],
) -> None:
    version, action, sent, meant, mends = case
    assert schemas.mend(f"ocpp{version}", action, sent, AT) == (meant, mends)
    assert schemas.mend(f"ocpp{version}", action, meant, AT)[1] in ([], ["too_long"])


def test_every_mend_is_in_the_table_and_met_here() -> None:
    doc = tolerance.__doc__ or ""
    told = {line.split("`")[1] for line in doc.splitlines() if line.startswith("| `")}
    met = {mend for case in CASES for mend in case[4]}
    assert met | {"too_few"} == told


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"connectorId": 1, "status": "Available"}, "OccurenceConstraintViolation"),
        ({**STATUS, "connectorId": "first"}, "TypeConstraintViolation"),
        ({**STATUS, "status": "Sleeping"}, "PropertyConstraintViolation"),
        ({**STATUS, "info": "x" * 256}, "PropertyConstraintViolation"),
    ],
)
def test_what_cannot_be_mended_is_refused_without_its_value(
    payload: dict[str, Any], code: str
) -> None:
    with pytest.raises(PayloadInvalid) as refused:
        schemas.mend("ocpp1.6", "StatusNotification", payload, AT)
    assert refused.value.code == code
    assert "Sleeping" not in str(refused.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
FIELDS = st.sampled_from(["connectorId", "errorCode", "status", "info", "timestamp", "x"])


@given(st.dictionaries(FIELDS, JSON))
def test_whatever_comes_is_mended_or_refused(payload: dict[str, Any]) -> None:
    try:
        mended, _ = schemas.mend("ocpp1.6", "StatusNotification", payload, AT)
    except PayloadInvalid:
        return
    again, mends = schemas.mend("ocpp1.6", "StatusNotification", mended, AT)
    assert again == mended
    assert set(mends) <= {"too_long"}


def test_what_we_send_is_held_to_the_schema_to_the_tenth() -> None:
    def profile(limit: float) -> dict[str, Any]:
        return {
            "connectorId": 1,
            "csChargingProfiles": {
                "chargingProfileId": 1,
                "stackLevel": 0,
                "chargingProfilePurpose": "TxProfile",
                "chargingProfileKind": "Absolute",
                "chargingSchedule": {
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
                },
            },
        }

    for tenths in range(401):
        schemas.check("ocpp1.6", "SetChargingProfile", profile(tenths / 10))
    with pytest.raises(PayloadInvalid):
        schemas.check("ocpp1.6", "SetChargingProfile", profile(16.25))
