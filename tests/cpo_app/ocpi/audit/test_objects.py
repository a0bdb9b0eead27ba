"""The library audit's rows about objects: form, case, and fields that must come through."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.schemas.samples import AT, cdr, connector, evse, location, tariff
from tests.peers.audit import audit
from tests.peers.subjects import Subject, data_of


def session(**fields: Any) -> dict[str, Any]:
    return {
        "country_code": "BE",
        "party_id": "BEC",
        "id": "S-1",
        "start_date_time": AT,
        "kwh": 1.5,
        "cdr_token": cdr()["cdr_token"],
        "auth_method": "WHITELIST",
        "location_id": "LOC1",
        "evse_uid": "Evse-1",
        "connector_id": "1",
        "currency": "EUR",
        "status": "ACTIVE",
        "last_updated": AT,
        **fields,
    }


def stored(subject: Subject, module: str, row: dict[str, Any]) -> Any:
    """What a peer reads of one stored object."""
    subject.keep(module, row)
    (read,) = data_of(subject.peer().list(module, date_from="2020-01-01T00:00:00Z"))
    return read


@audit("F003")
def test_ids_keep_their_case_and_are_found_in_any(subject: Subject) -> None:
    given = location(id="Loc-Ab", evses=[evse(uid="Evse-X", evse_id="BE*BEC*E041503001")])
    assert stored(subject, "locations", given) == given
    peer = subject.peer()
    for location_id, uid in (("Loc-Ab", "Evse-X"), ("LOC-AB", "EVSE-X"), ("loc-ab", "evse-x")):
        found = data_of(peer.get("locations", location_id, uid))
        assert (found["uid"], found["evse_id"]) == ("Evse-X", "BE*BEC*E041503001")


@audit("F004")
def test_one_object_is_an_object_not_a_list(subject: Subject) -> None:
    given = location(evses=[evse()])
    subject.keep("locations", given)
    peer = subject.peer()
    assert data_of(peer.get("locations", "LOC1"))["city"] == "Gent"
    assert data_of(peer.get("locations", "LOC1", "Evse-1"))["status"] == "AVAILABLE"
    assert data_of(peer.get("locations", "LOC1", "Evse-1", "1"))["max_voltage"] == 230


@audit("F101")
def test_fields_without_value_are_left_out(subject: Subject) -> None:
    given = location(id="loc1", evses=[evse(uid="evse-1")])
    subject.keep("locations", given)
    answer = subject.peer().list("locations")
    assert data_of(answer)
    assert "null" not in answer.text


@audit("F006")
def test_a_cdr_keeps_its_evse_uid(subject: Subject) -> None:
    assert stored(subject, "cdrs", cdr())["cdr_location"]["evse_uid"].lower() == "evse-1"


@audit("F025")
def test_signed_data_of_ordinary_length_comes_through(subject: Subject) -> None:
    signed = {
        "encoding_method": "OCMF",
        "signed_values": [{"nature": "Start", "plain_data": "p" * 4000, "signed_data": "s" * 4000}],
    }
    assert stored(subject, "cdrs", cdr(signed_data=signed))["signed_data"]["signed_values"]


@audit("F068")
def test_an_invoice_reference_of_39_signs_comes_through(subject: Subject) -> None:
    assert len(stored(subject, "cdrs", cdr(invoice_reference_id="i" * 39))["invoice_reference_id"])


@audit("F021")
def test_a_minimal_energy_mix_comes_through(subject: Subject) -> None:
    read = stored(subject, "tariffs", tariff(energy_mix={"is_green_energy": True}))
    assert read["energy_mix"]["is_green_energy"] is True


@audit("F022")
def test_environmental_impacts_are_a_list(subject: Subject) -> None:
    mix = {
        "is_green_energy": False,
        "energy_sources": [{"source": "WIND", "percentage": 100}],
        "environ_impact": [{"category": "CARBON_DIOXIDE", "amount": 372}],
        "supplier_name": "E.ON",
        "energy_product_name": "eco",
    }
    read = stored(subject, "tariffs", tariff(energy_mix=mix))
    assert read["energy_mix"]["environ_impact"] == [{"category": "CARBON_DIOXIDE", "amount": 372}]


@audit("F023")
def test_status_schedules_are_a_list(subject: Subject) -> None:
    planned = [{"period_begin": AT, "status": "INOPERATIVE"}]
    read = stored(subject, "locations", location(evses=[evse(status_schedule=planned)]))
    assert read["evses"][0]["status_schedule"][0]["status"] == "INOPERATIVE"


@audit("F024")
@pytest.mark.parametrize(("field", "length"), [("address", 255), ("state", 45)])
def test_addresses_may_be_as_long_as_the_text_says(
    subject: Subject, field: str, length: int
) -> None:
    read = stored(subject, "locations", location(**{field: "x" * length}))
    assert read[field] == "x" * length


@audit("F035")
def test_fractions_of_a_second_are_kept(subject: Subject) -> None:
    read = stored(subject, "locations", location(last_updated="2024-05-01T10:00:01.5Z"))
    assert read["last_updated"] in ("2024-05-01T10:00:01.5Z", "2024-05-01T10:00:01.500Z")


@audit("F036")
def test_timestamps_leave_in_utc(subject: Subject) -> None:
    read = stored(subject, "locations", location(last_updated="2024-05-01T12:00:00+02:00"))
    assert read["last_updated"] == "2024-05-01T10:00:00Z"


@audit("F064")
def test_numbers_have_at_most_four_decimals(subject: Subject) -> None:
    assert stored(subject, "sessions", session(kwh=0.1 + 0.2))["kwh"] == 0.3


@audit("F051", "F011")
def test_charging_preferences_are_answered_with_one_word(subject: Subject) -> None:
    subject.keep("sessions", session())
    answer = subject.peer().put(
        "sessions", "S-1", "charging_preferences", json={"profile_type": "FAST"}
    )
    assert data_of(answer) == "ACCEPTED"


@audit("F051")
def test_charging_preferences_of_no_session_are_404(subject: Subject) -> None:
    answer = subject.peer().put(
        "sessions", "NOPE", "charging_preferences", json={"profile_type": "FAST"}
    )
    assert answer.status_code == 404


@audit("F062")
@pytest.mark.parametrize("energy_need", ['"12"', "true"])
def test_numbers_in_requests_are_numbers(subject: Subject, energy_need: str) -> None:
    subject.keep("sessions", session())
    answer = subject.peer().put(
        "sessions",
        "S-1",
        "charging_preferences",
        content=f'{{"profile_type":"FAST","energy_need":{energy_need}}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.json()["status_code"] == 2001


def test_connectors_are_found_in_any_case(subject: Subject) -> None:
    subject.keep("locations", location(evses=[evse(connectors=[connector(id="Aa")])]))
    found = data_of(subject.peer().get("locations", "loc1", "evse-1", "aA"))
    assert found["id"] == "Aa"
