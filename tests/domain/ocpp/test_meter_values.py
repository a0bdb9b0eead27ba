"""Meter values of 1.6 and 2.0.1: what a bill needs is read right, whatever way it is written."""

from __future__ import annotations

import base64
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ocpp.v16.enums import Measurand
from ocpp.v201.enums import MeasurandEnumType

from domain.ocpp.meter_values import Measured, decimal_of, measured_of
from domain.ocpp.signed_values import kept, signed_data

NOW = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
OCMF_BEGIN = 'OCMF|{"FV":"1.0","RD":[{"TX":"B","RV":1}]}|{"SD":"00"}'
OCMF_END = 'OCMF|{"FV":"1.0","RD":[{"TX":"E","RV":2}]}|{"SD":"01"}'
OCMF_WHOLE = 'OCMF|{"FV":"1.0","RD":[{"TX":"B","RV":1},{"TX":"E","RV":2}]}|{"SD":"02"}'


def one(*sampled: dict[str, Any], **options: Any) -> Measured:
    entry = {"timestamp": "2026-05-01T11:00:00Z", "sampledValue": list(sampled)}
    (found,) = measured_of([entry], NOW, **options)
    return found


def v16(value: object, measurand: str | None = None, **more: Any) -> dict[str, Any]:
    return {"value": value, **({"measurand": measurand} if measurand else {}), **more}


def v2(value: float, measurand: str, unit: str, multiplier: int = 0, **more: Any) -> dict[str, Any]:
    of_measure = {"unit": unit, "multiplier": multiplier}
    return {"value": value, "measurand": measurand, "unitOfMeasure": of_measure, **more}


@pytest.mark.parametrize(
    ("sampled", "wh"),
    [
        (v16("1234"), "1234"),
        (v16("1.234", unit="kWh"), "1234"),
        (v16("1,234", unit="kWh"), "1234"),
        (v16(1234.5, "Energy.Active.Import.Register", unit="Wh"), "1234.5"),
        (v16("12", context="Transaction.Begin", unit="kWh", location="Outlet"), "12000"),
        (v2(1.5, "Energy.Active.Import.Register", "kWh"), "1500"),
        (v2(15, "Energy.Active.Import.Register", "Wh", 2), "1500"),
        (v2(15, "Energy.Active.Import.Register", "kWh", -1), "1500"),
    ],
)
def test_the_register_in_all_units(sampled: dict[str, Any], wh: str) -> None:
    assert one(sampled).register_wh == Decimal(wh)


def test_phases_of_the_register_are_added_where_no_value_is_for_all() -> None:
    phases = [v16("100", phase=phase) for phase in ("L1", "L2", "L3")]

    assert one(*phases).register_wh == 300
    assert one(*phases, v16("299")).register_wh == 299


@pytest.mark.parametrize(
    "sampled",
    [
        v16("5", "Energy.Active.Export.Register"),
        v16("5", "Energy.Reactive.Import.Register", unit="varh"),
        v16("5", location="Inlet"),
        v16("5", context="Sample.Clock"),
        v16("-5"),
        v16("NaN"),
        v16("a lot"),
        v16("1e999"),
        v16("5", unit="BTU"),
        v2(5, "Energy.Active.Import.Register", "Wh", 10**9),
    ],
)
def test_what_is_no_energy_of_the_session_is_not_counted(sampled: dict[str, Any]) -> None:
    entry = {"timestamp": "2026-05-01T11:00:00Z", "sampledValue": [sampled]}

    assert measured_of([entry], NOW) == []


def test_clock_aligned_values_are_read_where_they_are_asked_for() -> None:
    assert one(v16("5", context="Sample.Clock"), of_session=False).register_wh == 5


def test_the_step_of_a_register_is_its_last_digit() -> None:
    assert one(v16("12", unit="kWh")).register_step_wh == 1000
    assert one(v16("12.3", unit="kWh")).register_step_wh == 100
    assert one(v16("12345.678")).register_step_wh == 1


def test_power_current_and_voltage_of_three_phases() -> None:
    found = one(
        *(v16("16", "Current.Import", phase=phase, unit="A") for phase in ("L1", "L2", "L3")),
        v16("0.1", "Current.Import", phase="N", unit="A"),
        *(v16("230", "Voltage", phase=phase) for phase in ("L1-N", "L2-N", "L3-N")),
        *(v16("3.68", "Power.Active.Import", phase=phase, unit="kW") for phase in ("L1", "L2")),
        v16("3680", "Power.Active.Import", phase="L3"),
        v16("80", "SoC", unit="Percent", location="EV"),
    )

    assert (found.current_a, found.phases, found.voltage_v) == (16, 3, 230)
    assert (found.power_w, found.soc) == (11040, 80)


def test_power_follows_from_current_and_voltage_where_it_is_not_told() -> None:
    found = one(
        v16("16", "Current.Import", phase="L1"),
        v16("0", "Current.Import", phase="L2"),
        v16("400", "Voltage", phase="L1-L2"),
    )

    assert found.phases == 1
    assert found.power_w == pytest.approx(16 * 400 / 3**0.5, abs=0.01)


def test_a_current_without_phase_is_spread_as_the_power_says() -> None:
    found = one(
        v16("16", "Current.Import"), v16("230", "Voltage"), v16("11040", "Power.Active.Import")
    )

    assert (found.current_a, found.phases) == (16, 3)


def test_what_is_offered_comes_as_power() -> None:
    assert one(v16("6", "Current.Offered"), v16("1")).offered_w == 6 * 230
    assert one(v16("3.6", "Power.Offered", unit="kW"), v16("1")).offered_w == 3600


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-05-01T11:00:00.123Z", 11),
        ("2026-05-01T13:00:00+02:00", 11),
        ("2026-05-01T13:00:00+0200", 11),
        ("2026-05-01 11:00:00", 11),
        ("2026-05-01t11:00:00z", 11),
        ("yesterday", 12),
        (None, 12),
    ],
)
def test_times_in_all_forms_and_none_is_when_it_came(text: str | None, hour: int) -> None:
    (found,) = measured_of([{"timestamp": text, "sampledValue": [v16("1")]}], NOW)

    assert (found.at.hour, found.at.tzinfo) == (hour, timezone.utc)


def test_moments_come_in_the_order_of_their_times() -> None:
    entries = [
        {"timestamp": f"2026-05-01T11:0{minute}:00Z", "sampledValue": [v16(str(minute))]}
        for minute in (2, 1, 3)
    ]

    assert [one.register_wh for one in measured_of(entries, NOW)] == [1, 2, 3]


def test_signed_values_of_16_and_of_201_are_the_same_text() -> None:
    encoded = base64.b64encode(OCMF_END.encode()).decode()
    ends = (
        v16(OCMF_END, format="SignedData", context="Transaction.End"),
        v16(OCMF_END.encode().hex(), format="SignedData", context="Transaction.End"),
        {
            **v2(2, "Energy.Active.Import.Register", "kWh"),
            "context": "Transaction.End",
            "signedMeterValue": {
                "signedMeterData": encoded,
                "signingMethod": "",
                "encodingMethod": "OCMF",
                "publicKey": "",
            },
        },
    )

    for sampled in ends:
        (signed,) = one(sampled).signed
        assert (signed["text"], signed["nature"], signed["encoding"]) == (OCMF_END, "End", "OCMF")


def test_begin_and_end_become_one_signed_data() -> None:
    begin = one(v16(OCMF_BEGIN, format="SignedData", context="Transaction.Begin")).signed
    end = one(v16(OCMF_END, format="SignedData", context="Transaction.End")).signed
    data = signed_data([*begin, *end])

    assert isinstance(data, dict)
    assert data["encoding_method"] == "OCMF"
    natures = [(value["nature"], value["signed_data"]) for value in data["signed_values"]]
    assert natures == [("Start", OCMF_BEGIN), ("End", OCMF_END)]
    assert data["signed_values"][1]["plain_data"] == OCMF_END.split("|")[1]


def test_a_record_that_tells_begin_and_end_stands_alone() -> None:
    begin = one(v16(OCMF_BEGIN, format="SignedData", context="Transaction.Begin")).signed
    whole = one(v16(OCMF_WHOLE, format="SignedData", context="Transaction.End")).signed

    assert signed_data([*begin, *whole]) == OCMF_WHOLE
    assert signed_data([]) is None


def test_of_many_signed_values_the_first_and_the_latest_are_kept() -> None:
    values = [one(v16(f"OCMF|{{}}|{number}", format="SignedData")).signed[0] for number in range(9)]
    found: list[Any] = []
    for value in values:
        found = kept(kept(found, [value]), [value])

    assert [value["text"][-1] for value in found] == ["0", "6", "7", "8"]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**9, places=3))
def test_kwh_and_wh_say_the_same(kwh: Decimal) -> None:
    assert one(v16(str(kwh), unit="kWh")).register_wh == kwh * 1000


@given(st.text() | st.floats() | st.integers() | st.none() | st.booleans() | st.lists(st.none()))
def test_whatever_stands_for_a_number_breaks_nothing(value: object) -> None:
    number = decimal_of(value)

    assert number is None or number.is_finite()


@pytest.mark.parametrize("measurand", sorted({*Measurand, *MeasurandEnumType}))
def test_every_measurand_is_taken(measurand: str) -> None:
    """Those that say nothing of a session leave the register beside them as it is."""
    expected = 7 if measurand == "Energy.Active.Import.Register" else 5

    assert one(v16("5"), v16("7", str(measurand))).register_wh == expected
