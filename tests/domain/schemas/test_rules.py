"""What the text says of fields together, and the rows of the library audit about fields."""

from __future__ import annotations

from typing import Any

import pytest

from domain.schemas import (
    CDR,
    EVSE,
    ActiveChargingProfileResult,
    Credentials,
    EnergyMix,
    Hours,
    Location,
    OcpiModel,
    PublishTokenType,
    SchemaError,
    Session,
    SetChargingProfile,
    SignedData,
    StartSession,
    Tariff,
    validate,
)
from tests.domain.schemas import samples

URL = "https://example.com/result/1"


def problems(model: type[OcpiModel], data: object) -> list[tuple[str, str]]:
    try:
        validate(model, data)
    except SchemaError as refused:
        return refused.errors
    return []


def accepted(model: type[OcpiModel], data: dict[str, Any]) -> bool:
    return not problems(model, data) and validate(model, data) == data


def test_lists_with_a_plus_need_an_element() -> None:
    empty = "list is empty, it needs at least one element"
    assert problems(EVSE, samples.evse(connectors=[])) == [("connectors", empty)]
    assert problems(Credentials, samples.credentials(roles=[])) == [("roles", empty)]
    assert problems(CDR, samples.cdr(charging_periods=[])) == [("charging_periods", empty)]
    assert problems(Tariff, samples.tariff(elements=[])) == [("elements", empty)]
    no_components = samples.tariff(elements=[{"price_components": []}])
    assert problems(Tariff, no_components) == [("elements.0.price_components", empty)]


def test_a_cdr_keeps_the_evse_uid_of_its_location() -> None:
    assert accepted(CDR, samples.cdr())
    no_uid = samples.cdr(cdr_location=samples.without(samples.cdr()["cdr_location"], "evse_uid"))
    assert problems(CDR, no_uid) == [("cdr_location.evse_uid", "required field missing")]


def test_a_reservation_that_never_became_a_session_has_na_in_its_cdr() -> None:
    place = {**samples.cdr()["cdr_location"], "evse_uid": "#NA", "evse_id": "#NA"}
    assert accepted(CDR, samples.cdr(cdr_location={**place, "connector_id": "#NA"}))


def test_a_charging_profile_has_a_list_of_periods_and_an_optional_min_charging_rate() -> None:
    profile: dict[str, Any] = {"charging_rate_unit": "W"}
    assert accepted(SetChargingProfile, {"charging_profile": profile, "response_url": URL})
    profile |= {
        "min_charging_rate": 8.1,
        "charging_profile_period": [
            {"start_period": 0, "limit": 11000},
            {"start_period": 900, "limit": 7400.5},
        ],
    }
    assert accepted(SetChargingProfile, {"charging_profile": profile, "response_url": URL})
    active = {"start_date_time": samples.AT, "charging_profile": profile}
    assert accepted(ActiveChargingProfileResult, {"result": "ACCEPTED", "profile": active})


def test_a_charging_rate_has_at_most_one_digit_of_fraction() -> None:
    profile = {
        "charging_rate_unit": "A",
        "min_charging_rate": 6.25,
        "charging_profile_period": [{"start_period": 0, "limit": 16.05}],
    }
    assert problems(SetChargingProfile, {"charging_profile": profile, "response_url": URL}) == [
        ("charging_profile.min_charging_rate", "more than one decimal"),
        ("charging_profile.charging_profile_period.0.limit", "more than one decimal"),
    ]


def test_an_energy_mix_needs_no_more_than_its_flag() -> None:
    assert accepted(EnergyMix, {"is_green_energy": True})
    impact = [{"category": "CARBON_DIOXIDE", "amount": 372}]
    assert accepted(EnergyMix, {"is_green_energy": False, "environ_impact": impact})
    half = {"is_green_energy": False, "energy_sources": [{"source": "WIND", "percentage": 101}]}
    assert problems(EnergyMix, half) == [("energy_sources.0.percentage", "number out of range")]


def test_a_status_schedule_is_a_list() -> None:
    period = {"period_begin": samples.AT, "status": "PLANNED"}
    assert accepted(EVSE, samples.evse(status_schedule=[period, period]))
    assert problems(EVSE, samples.evse(status_schedule=period)) == [
        ("status_schedule", "value is not a list")
    ]


def test_signed_data_of_a_real_meter_fits() -> None:
    value = {"nature": "Start", "plain_data": "x" * 5000, "signed_data": "y" * 5000}
    data = {"encoding_method": "OCMF", "encoding_method_version": 1, "signed_values": [value]}
    assert accepted(SignedData, data)
    assert accepted(CDR, samples.cdr(signed_data=data, invoice_reference_id="i" * 39))


def test_a_credit_cdr_names_the_cdr_that_it_credits() -> None:
    reason = "credit_reference_id is required when credit is true"
    assert problems(CDR, samples.cdr(credit=True)) == [("", reason)]
    credited = samples.cdr(id="x" * 39, credit=True, credit_reference_id="12345")
    assert accepted(CDR, {**credited, "total_cost": {"excl_vat": -4.0}})
    assert accepted(CDR, samples.cdr(credit=False))


def test_a_cdr_that_is_no_credit_cdr_has_an_id_of_at_most_36_characters() -> None:
    assert accepted(CDR, samples.cdr(id="x" * 36))
    assert problems(CDR, samples.cdr(id="x" * 37)) == [
        ("", "id longer than 36 characters in a CDR that is no Credit CDR")
    ]


def test_dimensions_for_sessions_only_are_not_for_cdrs() -> None:
    periods = [
        {"start_date_time": samples.AT, "dimensions": [{"type": "STATE_OF_CHARGE", "volume": 80}]}
    ]
    session = {
        **{k: v for k, v in samples.cdr().items() if k in Session.__fields__},
        "kwh": 0,
        "location_id": "LOC1",
        "evse_uid": "Evse-1",
        "connector_id": "1",
        "status": "ACTIVE",
        "charging_periods": periods,
    }
    assert accepted(Session, session)
    assert problems(CDR, samples.cdr(charging_periods=periods)) == [
        ("charging_periods", "dimensions for sessions only: STATE_OF_CHARGE")
    ]
    periods[0]["dimensions"][0]["volume"] = 101  # type: ignore[index]
    assert [path for path, _ in problems(Session, session)] == [
        "charging_periods.0.dimensions.0.volume"
    ]


def test_a_connector_is_started_together_with_its_evse() -> None:
    start = {"response_url": URL, "token": samples.token(), "location_id": "LOC1"}
    assert accepted(StartSession, start)
    assert accepted(StartSession, {**start, "evse_uid": "Evse-1", "connector_id": "1"})
    assert problems(StartSession, {**start, "connector_id": "1"}) == [
        ("", "evse_uid is required when connector_id is set")
    ]


@pytest.mark.parametrize(
    ("publish_token", "reason"),
    [
        ({"uid": "1", "type": "RFID"}, None),
        ({"visual_number": "1", "issuer": "x"}, None),
        ({"group_id": "1"}, None),
        ({}, "one of uid, visual_number or group_id is required"),
        ({"issuer": "x"}, "one of uid, visual_number or group_id is required"),
        ({"uid": "1"}, "type is required when uid is set"),
        ({"visual_number": "1"}, "issuer is required when visual_number is set"),
    ],
)
def test_a_publish_token_identifies_a_token(
    publish_token: dict[str, str], reason: str | None
) -> None:
    assert problems(PublishTokenType, publish_token) == ([("", reason)] if reason else [])


def test_only_an_unpublished_location_names_who_may_see_it() -> None:
    allowed = [{"group_id": "G1"}]
    assert accepted(Location, samples.location(publish=False, publish_allowed_to=allowed))
    assert problems(Location, samples.location(publish_allowed_to=allowed)) == [
        ("publish_allowed_to", "only to be used if publish is false")
    ]


def test_opening_hours() -> None:
    day = {"weekday": 1, "period_begin": "08:00", "period_end": "20:00"}
    assert accepted(Hours, {"twentyfourseven": False, "regular_hours": [day]})
    assert problems(Hours, {"twentyfourseven": True, "regular_hours": [day]}) == [
        ("regular_hours", "only to be used if twentyfourseven is false")
    ]
    backwards = {"twentyfourseven": False, "regular_hours": [{**day, "period_end": "08:00"}]}
    assert problems(Hours, backwards) == [
        ("regular_hours.0.period_end", "not later than period_begin")
    ]
    assert accepted(Hours, {"twentyfourseven": False})  # our one deviation, see locations.py


def test_ids_are_unique_where_they_identify() -> None:
    same = [samples.connector(id="A"), samples.connector(id="a")]
    assert problems(EVSE, samples.evse(connectors=same)) == [
        ("connectors", "two connectors of one EVSE have the same id")
    ]
    twice = [samples.evse(uid="A"), samples.evse(uid="a")]
    assert problems(Location, samples.location(evses=twice)) == [
        ("evses", "two EVSEs of one location have the same uid")
    ]
    role = samples.credentials()["roles"][0]
    twin = {**role, "party_id": "exa"}
    assert problems(Credentials, samples.credentials(roles=[role, twin])) == [
        ("roles", "two roles with the same role, party_id and country_code")
    ]
    assert accepted(Credentials, samples.credentials(roles=[role, {**role, "role": "CPO"}]))


def test_a_reservation_is_priced_flat_and_by_time_only() -> None:
    element = {
        "price_components": [{"type": "ENERGY", "price": 1, "step_size": 1}],
        "restrictions": {"reservation": "RESERVATION"},
    }
    assert problems(Tariff, samples.tariff(elements=[element])) == [
        ("elements.0", "a reservation can only have FLAT and TIME price components")
    ]
