"""2.1.1 of our objects, and ours of a 2.1.1 peer's: each rule, with what it says is lost."""

from __future__ import annotations

from typing import Any

import pytest

from domain.schemas import validate
from domain.versions import VERSIONS, Context, ObjectKind, Party, Unconvertible
from tests.domain.schemas import samples

V = VERSIONS["2.1.1"]
AT = samples.AT
PARTY_IS_NOT_SAID = {"country_code", "party_id"}


def rendered(kind: ObjectKind, inner: dict[str, Any], context: Context | None = None) -> Any:
    made = V.render(kind, inner, context or Context())
    assert validate(V.models[kind], made.object) == made.object
    return made.object


def losses(
    kind: ObjectKind, inner: dict[str, Any], context: Context | None = None
) -> dict[str, str]:
    """By path, but for the party: each object of 2.2.1 names it, none of 2.1.1 does."""
    made = V.render(kind, inner, context or Context())
    return {path: reason for path, reason in made.losses if path not in PARTY_IS_NOT_SAID}


def full_location(**fields: Any) -> dict[str, Any]:
    return samples.location(
        postal_code="9000",
        parking_type="ON_STREET",
        evses=[samples.evse(connectors=[samples.connector(tariff_ids=["T1"])])],
        **fields,
    )


def session(**fields: Any) -> dict[str, Any]:
    return {
        "country_code": "BE",
        "party_id": "BEC",
        "id": "S1",
        "start_date_time": AT,
        "kwh": 1.5,
        "cdr_token": samples.cdr()["cdr_token"],
        "auth_method": "COMMAND",
        "location_id": "loc1",
        "evse_uid": "evse-1",
        "connector_id": "1",
        "currency": "EUR",
        "total_cost": {"excl_vat": 2.5, "incl_vat": 3.0},
        "status": "RESERVATION",
        "last_updated": AT,
        **fields,
    }


def test_a_location_has_a_type_a_voltage_and_one_tariff_for_each_connector() -> None:
    given = full_location()
    assert losses(ObjectKind.LOCATION, given) == {}
    assert rendered(ObjectKind.LOCATION, given) == {
        "id": "LOC1",
        "type": "ON_STREET",
        "address": "F.Rooseveltlaan 3A",
        "city": "Gent",
        "postal_code": "9000",
        "country": "BEL",
        "coordinates": {"latitude": "51.047599", "longitude": "3.729944"},
        "time_zone": "Europe/Brussels",
        "evses": [
            {
                "uid": "Evse-1",
                "status": "AVAILABLE",
                "connectors": [
                    {
                        "id": "1",
                        "standard": "IEC_62196_T2",
                        "format": "SOCKET",
                        "power_type": "AC_3_PHASE",
                        "voltage": 230,
                        "amperage": 32,
                        "tariff_id": "T1",
                        "last_updated": AT,
                    }
                ],
                "last_updated": AT,
            }
        ],
        "last_updated": AT,
    }


def test_the_party_of_an_object_is_lost_for_2_1_1_knows_one_for_each_platform() -> None:
    made = V.render(ObjectKind.LOCATION, full_location())
    assert dict(made.losses) == dict.fromkeys(PARTY_IS_NOT_SAID, "OCPI 2.1.1 has no such field")


def test_a_location_that_is_not_to_be_published_is_not_told_at_all() -> None:
    with pytest.raises(Unconvertible, match="publish: is false"):
        V.render(ObjectKind.LOCATION, full_location(publish=False))
    at_home = Context(location=full_location(publish=False))
    assert rendered(ObjectKind.SESSION, session(), at_home)["location"]["id"] == "LOC1"


@pytest.mark.parametrize(
    ("fields", "their_fields", "lost"),
    [
        ({"parking_type": "ON_DRIVEWAY"}, {"type": "OTHER"}, {"parking_type"}),
        ({"parking_type": None}, {"type": "UNKNOWN"}, set()),
        ({"postal_code": None}, {"postal_code": "-"}, {"postal_code"}),
        ({"city": "Köln"}, {"city": "Koln"}, {"city"}),
        ({"address": "Ä" * 100}, {"address": "A" * 45}, {"address"}),
        ({"facilities": ["HOTEL", "TRAM_STOP"]}, {"facilities": ["HOTEL"]}, {"facilities.1"}),
        (
            {"coordinates": {"latitude": "51.04759", "longitude": "3.7299445"}},
            {"coordinates": {"latitude": "51.047590", "longitude": "3.729944"}},
            {"coordinates.longitude"},
        ),
        ({"state": "Ontario", "help_phone": "+1 800 1"}, {}, {"state", "help_phone"}),
        (
            {
                "energy_mix": {
                    "is_green_energy": True,
                    "environ_impact": [{"category": "NUCLEAR_WASTE", "amount": 0}],
                }
            },
            {
                "energy_mix": {
                    "is_green_energy": True,
                    "environ_impact": [{"source": "NUCLEAR_WASTE", "amount": 0}],
                }
            },
            set(),
        ),
    ],
)
def test_what_2_1_1_says_otherwise_of_a_location(
    fields: dict[str, Any], their_fields: dict[str, Any], lost: set[str]
) -> None:
    given = {key: value for key, value in (full_location() | fields).items() if value is not None}
    theirs = rendered(ObjectKind.LOCATION, given)
    assert {name: theirs[name] for name in their_fields} == their_fields
    assert set(losses(ObjectKind.LOCATION, given)) == lost


def test_a_plug_that_2_1_1_cannot_name_is_left_out_and_an_evse_without_plugs_too() -> None:
    bus = samples.evse(connectors=[samples.connector(standard="PANTOGRAPH_BOTTOM_UP")])
    both = samples.evse(
        uid="E2",
        connectors=[samples.connector(standard="GBT_DC"), samples.connector(id="2")],
    )
    given = samples.location(postal_code="1", evses=[bus, both])
    theirs = rendered(ObjectKind.LOCATION, given)
    assert [evse["uid"] for evse in theirs["evses"]] == ["E2"]
    assert [connector["id"] for connector in theirs["evses"][0]["connectors"]] == ["2"]
    assert losses(ObjectKind.LOCATION, given) == {
        "evses.0.connectors.0": "left out: OCPI 2.1.1 has no ConnectorType PANTOGRAPH_BOTTOM_UP",
        "evses.0": "left out: nothing of its connectors can be said",
        "evses.1.connectors.0": "left out: OCPI 2.1.1 has no ConnectorType GBT_DC",
    }


def test_nearest_values_promise_no_more_than_there_is() -> None:
    connector = samples.connector(
        standard="SAE_J3400", power_type="AC_2_PHASE", tariff_ids=["T1", "T2"]
    )
    theirs = rendered(ObjectKind.CONNECTOR, connector)
    assert (theirs["standard"], theirs["power_type"]) == ("TESLA_S", "AC_1_PHASE")
    assert losses(ObjectKind.CONNECTOR, connector) == {
        "standard": "OCPI 2.1.1 has no ConnectorType SAE_J3400: TESLA_S",
        "power_type": "OCPI 2.1.1 has no PowerType AC_2_PHASE: AC_1_PHASE",
        "tariff_ids.1": "OCPI 2.1.1 has one tariff for each connector",
    }


def test_a_session_holds_its_location_with_the_one_evse_and_connector() -> None:
    others = [
        samples.evse(uid="E2"),
        samples.evse(connectors=[samples.connector(id=i) for i in "12"]),
    ]
    where = samples.location(postal_code="9000", evses=others)
    given = session()
    theirs = rendered(ObjectKind.SESSION, given, Context(location=where))
    assert theirs["start_datetime"] == AT
    assert theirs["auth_id"] == "DE8ACC12E46L89"
    assert theirs["total_cost"] == 2.5
    assert [evse["uid"] for evse in theirs["location"]["evses"]] == ["Evse-1"]
    assert [c["id"] for c in theirs["location"]["evses"][0]["connectors"]] == ["1"]
    assert losses(ObjectKind.SESSION, given, Context(location=where)) == {
        "auth_method": "OCPI 2.1.1 has no AuthMethod COMMAND: AUTH_REQUEST",
        "status": "OCPI 2.1.1 has no SessionStatus RESERVATION: PENDING",
        "total_cost.incl_vat": "OCPI 2.1.1 has costs without VAT",
        "location.country_code": "OCPI 2.1.1 has no such field",
        "location.party_id": "OCPI 2.1.1 has no such field",
        **{
            f"cdr_token.{name}": "OCPI 2.1.1 has only its contract_id, as auth_id"
            for name in ("country_code", "party_id", "uid", "type")
        },
    }


def test_a_session_at_a_place_that_nobody_knows_cannot_be_said() -> None:
    for context in (Context(), Context(location=samples.location(id="another"))):
        with pytest.raises(Unconvertible, match="the whole Location"):
            V.render(ObjectKind.SESSION, session(), context)


def test_a_session_at_an_evse_that_is_gone_has_its_location_alone() -> None:
    where = Context(location=full_location())
    given = session(evse_uid="gone")
    assert rendered(ObjectKind.SESSION, given, where)["location"]["evses"] == []
    assert losses(ObjectKind.SESSION, given, where)["evse_uid"].startswith("left out")


def test_a_cdr_says_where_by_its_own_word_and_asks_the_location_for_the_rest() -> None:
    alone = rendered(ObjectKind.CDR, samples.cdr())["location"]
    assert alone["type"] == "UNKNOWN"
    assert alone["evses"][0]["connectors"][0]["voltage"] == 0
    known = rendered(ObjectKind.CDR, samples.cdr(), Context(location=full_location()))["location"]
    assert known["type"] == "ON_STREET"
    assert known["evses"][0]["evse_id"] == "BE*BEC*E041503003"
    assert known["evses"][0]["connectors"][0] == {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_1_PHASE",
        "voltage": 230,
        "amperage": 32,
        "tariff_id": "T1",
        "last_updated": AT,
    }


def test_a_cdr_keeps_its_evse_though_2_1_1_cannot_name_the_plug() -> None:
    place = {
        **samples.cdr()["cdr_location"],
        "connector_standard": "GBT_DC",
        "connector_power_type": "DC",
    }
    given = samples.cdr(cdr_location=place)
    theirs = rendered(ObjectKind.CDR, given)
    assert theirs["location"]["evses"][0]["connectors"][0]["standard"] == "IEC_62196_T2_COMBO"
    assert "cdr_location.connector_standard" in losses(ObjectKind.CDR, given)


def test_a_cdr_of_a_reservation_without_a_session_has_no_evse() -> None:
    place = {**samples.cdr()["cdr_location"], "evse_uid": "#NA", "evse_id": "#NA"}
    assert rendered(ObjectKind.CDR, samples.cdr(cdr_location=place))["location"]["evses"] == []


def test_a_credit_cdr_is_a_negative_one_that_says_what_it_credits() -> None:
    given = samples.cdr(
        id="x" * 38,
        credit=True,
        credit_reference_id="x" * 36,
        total_cost={"excl_vat": -4.0, "incl_vat": -4.84},
        remark="meter was wrong",
    )
    theirs = rendered(ObjectKind.CDR, given)
    assert theirs["total_cost"] == -4.0
    assert theirs["remark"] == f"Credit for CDR {'x' * 36}; meter was wrong"
    assert len(theirs["id"]) == 36
    assert theirs["id"] != rendered(ObjectKind.CDR, {**given, "id": "x" * 39})["id"]
    assert {"credit", "id", "total_cost.incl_vat"} <= set(losses(ObjectKind.CDR, given))


def test_a_period_of_which_nothing_can_be_said_still_says_where_others_end() -> None:
    periods = [
        {"start_date_time": AT, "dimensions": [{"type": "RESERVATION_TIME", "volume": 1}]},
        {
            "start_date_time": AT,
            "dimensions": [{"type": "MAX_POWER", "volume": 1}, {"type": "ENERGY", "volume": 2}],
            "tariff_id": "T1",
        },
    ]
    given = samples.cdr(charging_periods=periods)
    assert rendered(ObjectKind.CDR, given)["charging_periods"] == [
        {"start_date_time": AT, "dimensions": [{"type": "TIME", "volume": 0}]},
        {"start_date_time": AT, "dimensions": [{"type": "ENERGY", "volume": 2}]},
    ]
    lost = {path for path in losses(ObjectKind.CDR, given) if path.startswith("charging")}
    assert lost == {
        "charging_periods.0.dimensions.0",
        "charging_periods.1.dimensions.0",
        "charging_periods.1.tariff_id",
    }


def element(restrictions: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    component = {"type": "TIME", "price": 2.0, "step_size": 60, **fields}
    made: dict[str, Any] = {"price_components": [component]}
    return made | ({"restrictions": restrictions} if restrictions else {})


def test_a_tariff_is_told_without_vat_limits_and_its_prices_for_reservations() -> None:
    given = samples.tariff(
        type="REGULAR",
        min_price={"excl_vat": 1},
        elements=[element({"reservation": "RESERVATION"}), element(vat=21.0)],
    )
    assert rendered(ObjectKind.TARIFF, given)["elements"] == [element()]
    assert losses(ObjectKind.TARIFF, given) == {
        "elements.0": "left out: OCPI 2.1.1 has no prices for reservations",
        "elements.1.price_components.0.vat": "OCPI 2.1.1 has no such field",
        "type": "OCPI 2.1.1 has no such field",
        "min_price": "OCPI 2.1.1 has no such field",
    }


def test_to_charge_under_a_tariff_for_reservations_alone_is_free() -> None:
    given = samples.tariff(elements=[element({"reservation": "RESERVATION_EXPIRES"})])
    assert rendered(ObjectKind.TARIFF, given)["elements"] == [
        {"price_components": [{"type": "FLAT", "price": 0, "step_size": 1}]}
    ]
    assert set(losses(ObjectKind.TARIFF, given)) == {"elements"}


def test_a_tariff_whose_price_hangs_on_amperes_is_not_told() -> None:
    given = samples.tariff(elements=[element({"max_current": 32.0}), element()])
    with pytest.raises(Unconvertible, match=r"elements\.0\.restrictions\.max_current"):
        V.render(ObjectKind.TARIFF, given)
    theirs = rendered(ObjectKind.CDR, samples.cdr(tariffs=[given, samples.tariff()]))
    assert [tariff["id"] for tariff in theirs["tariffs"]] == ["12"]


def test_prices_with_taxes_in_them_are_told_without() -> None:
    given = samples.tariff(tax_included="YES", elements=[element(price=2.42, vat=21.0)])
    assert rendered(ObjectKind.TARIFF, given)["elements"] == [element()]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("ACCEPTED", "ACCEPTED"),
        ("TIMEOUT", "TIMEOUT"),
        ("EVSE_OCCUPIED", "REJECTED"),
        ("UNKNOWN_RESERVATION", "REJECTED"),
    ],
)
def test_a_commands_result_is_a_command_response(ours: str, theirs: str) -> None:
    assert rendered(ObjectKind.COMMAND_RESULT, {"result": ours}) == {"result": theirs}


def test_a_commands_answer_has_neither_timeout_nor_message() -> None:
    given = {"result": "ACCEPTED", "timeout": 30, "message": [{"language": "en", "text": "x"}]}
    assert rendered(ObjectKind.COMMAND_RESPONSE, given) == {"result": "ACCEPTED"}
    assert set(losses(ObjectKind.COMMAND_RESPONSE, given)) == {"timeout", "message"}


def test_credentials_are_those_of_one_party() -> None:
    roles = [
        {
            "role": "CPO",
            "party_id": party,
            "country_code": "NL",
            "business_details": {"name": party},
        }
        for party in ("EXA", "EXB")
    ]
    given = samples.credentials(roles=roles)
    assert rendered(ObjectKind.CREDENTIALS, given)["party_id"] == "EXA"
    context = Context(party=Party("NL", "EXB"))
    theirs = rendered(ObjectKind.CREDENTIALS, given, context)
    assert theirs == {
        "token": given["token"],
        "url": given["url"],
        "business_details": {"name": "EXB"},
        "party_id": "EXB",
        "country_code": "NL",
    }
    back = V.read(ObjectKind.CREDENTIALS, theirs).object
    assert back["roles"] == [{**roles[1], "role": "EMSP"}]


TOKEN = {
    "uid": "012345678",
    "type": "RFID",
    "auth_id": "DE8ACC12E46L89",
    "issuer": "Société",
    "valid": True,
    "whitelist": "ALLOWED",
    "last_updated": AT,
}


def test_a_token_is_of_the_party_that_sent_it() -> None:
    context = Context(party=Party("DE", "TNM"))
    inner = V.read(ObjectKind.TOKEN, TOKEN, context).object
    assert inner == {
        "country_code": "DE",
        "party_id": "TNM",
        "uid": "012345678",
        "type": "RFID",
        "contract_id": "DE8ACC12E46L89",
        "issuer": "Société",
        "valid": True,
        "whitelist": "ALLOWED",
        "last_updated": AT,
    }
    assert rendered(ObjectKind.TOKEN, inner) == {**TOKEN, "issuer": "Societe"}
    with pytest.raises(Unconvertible, match="whose object"):
        V.read(ObjectKind.TOKEN, TOKEN)


def test_a_patch_of_a_token_needs_no_last_updated_and_has_inner_names() -> None:
    assert V.read_patch(ObjectKind.TOKEN, {"auth_id": "X", "language": None}) == {
        "contract_id": "X",
        "language": None,
    }


def test_commands_are_read_with_their_token_and_a_reservation_is_text() -> None:
    context = Context(party=Party("DE", "TNM"))
    given = {
        "response_url": "https://emsp.example/1",
        "token": TOKEN,
        "expiry_date": AT,
        "reservation_id": 42,
        "location_id": "LOC1",
    }
    inner = V.read(ObjectKind.RESERVE_NOW, given, context).object
    assert inner["reservation_id"] == "42"
    assert inner["token"]["contract_id"] == "DE8ACC12E46L89"
    back = rendered(ObjectKind.RESERVE_NOW, inner)
    assert back == {**given, "token": {**TOKEN, "issuer": "Societe"}}
    with pytest.raises(Unconvertible, match="reservation_id"):
        V.render(ObjectKind.RESERVE_NOW, {**inner, "reservation_id": "R1"})


def test_an_authorization_is_of_the_token_that_was_asked_for() -> None:
    given = {
        "allowed": "ALLOWED",
        "location": {"location_id": "LOC1", "evse_uids": ["E1"], "connector_ids": ["1"]},
    }
    context = Context(token=samples.token())
    read = V.read(ObjectKind.AUTHORIZATION_INFO, given, context)
    assert read.object == {
        "allowed": "ALLOWED",
        "token": samples.token(),
        "location": {"location_id": "LOC1", "evse_uids": ["E1"]},
    }
    assert [loss.path for loss in read.losses] == ["location.connector_ids"]
    with pytest.raises(Unconvertible, match="which token"):
        V.read(ObjectKind.AUTHORIZATION_INFO, given)


def test_a_location_of_theirs_becomes_ours_with_its_party_and_time_zone() -> None:
    inner = full_location()
    del inner["time_zone"]
    theirs = rendered(ObjectKind.LOCATION, inner)
    context = Context(party=Party("BE", "BEC"), time_zone="Europe/Brussels")
    assert V.read(ObjectKind.LOCATION, theirs, context) == (full_location(), ())
    with pytest.raises(Unconvertible, match="time_zone"):
        V.read(ObjectKind.LOCATION, theirs, Context(party=Party("BE", "BEC")))


@pytest.mark.parametrize("kind", [ObjectKind.SESSION, ObjectKind.CDR])
def test_a_bill_of_theirs_becomes_ours_with_the_token_that_they_do_not_say(
    kind: ObjectKind,
) -> None:
    ours = {
        ObjectKind.SESSION: session(
            auth_method="WHITELIST",
            status="COMPLETED",
            location_id="LOC1",
            evse_uid="Evse-1",
            total_cost={"excl_vat": 2.5},
        ),
        ObjectKind.CDR: samples.cdr(
            cdr_location={**samples.cdr()["cdr_location"], "postal_code": "9000"}
        ),
    }[kind]
    theirs = rendered(kind, ours, Context(location=full_location()))
    context = Context(party=Party("BE", "BEC"), token=samples.token())
    read = V.read(kind, theirs, context)
    assert read.object == ours
    assert [loss.path for loss in read.losses] == ["location"]
    with pytest.raises(Unconvertible, match="auth_id"):
        V.read(kind, theirs, Context(party=Party("BE", "BEC")))
