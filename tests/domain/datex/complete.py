"""A location and tariffs that say all that OCPI has words for, and them as DATEX II's documents."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

import orjson

from db_interface.json_data import JsonObject
from domain.datex.forms import FORMS
from domain.datex.publisher import Publisher
from domain.datex.rates import Tariffs
from domain.schemas import validate
from domain.versions import inner
from domain.versions.ocpi_version import ObjectKind
from tests.domain.schemas.samples import connector, evse, location, tariff

PUBLISHER = Publisher("NL", "NL-EVC", language="nl", operator="Evergreen")
MADE_AT = datetime(2026, 11, 22, 6, 0, tzinfo=timezone.utc)
AT_ALL_TIMES = {"period_begin": "2026-12-24T12:00:00Z", "period_end": "2026-12-27T06:00:00Z"}
IMAGE = {
    "url": "https://example.org/a.jpg?x=1&y=2",
    "category": "CHARGER",
    "type": "jpeg",
}


def complete_location() -> JsonObject:
    made = location(
        country_code="NL",
        party_id="EVC",
        id="LOC1",
        name="Bäckerei <Müller> & Söhne",
        country="DEU",
        city="Köln",
        postal_code="50667",
        state="Nordrhein-Westfalen",
        time_zone="Europe/Berlin",
        parking_type="UNDERGROUND_GARAGE",
        directions=[{"language": "DE", "text": "Einfahrt B"}],
        operator={
            "name": "EVC Charging",
            "website": "https://example.org",
            "logo": {**IMAGE, "category": "OPERATOR"},
        },
        owner={"name": "Stadt Köln"},
        help_phone="+49 221 1234567",
        facilities=["SUPERMARKET", "WIFI", "TRAIN_STATION", "METRO_STATION", "NATURE"],
        opening_times={
            "twentyfourseven": False,
            "regular_hours": [
                {"weekday": 6, "period_begin": "09:00", "period_end": "23:59"},
                {"weekday": 1, "period_begin": "08:00", "period_end": "12:00"},
                {"weekday": 1, "period_begin": "13:00", "period_end": "20:00"},
            ],
            "exceptional_openings": [AT_ALL_TIMES],
            "exceptional_closings": [AT_ALL_TIMES],
        },
        images=[IMAGE],
        energy_mix={
            "is_green_energy": True,
            "energy_sources": [
                {"source": "WIND", "percentage": 80},
                {"source": "SOLAR", "percentage": 20},
            ],
            "environ_impact": [
                {"category": "CARBON_DIOXIDE", "amount": 0},
                {"category": "NUCLEAR_WASTE", "amount": 0.001},
            ],
            "supplier_name": "Greenpeace Energy",
            "energy_product_name": "eco-power",
        },
        parking_places=[
            {
                "id": "P1",
                "vehicle_types": ["PERSONAL_VEHICLE", "VAN", "DISABLED"],
                "restricted_to_type": True,
                "reservation_required": False,
                "parking_space_length": 6,
                "parking_space_width": 3.5,
                "roofed": True,
                "lighting": False,
            }
        ],
        evses=[
            evse(
                uid="1",
                evse_id="NL*EVC*E1",
                capabilities=[
                    "CHARGING_PREFERENCES_CAPABLE",
                    "CHIP_CARD_SUPPORT",
                    "CONTACTLESS_CARD_SUPPORT",
                    "CREDIT_CARD_PAYABLE",
                    "DEBIT_CARD_PAYABLE",
                    "PED_TERMINAL",
                    "REMOTE_START_STOP_CAPABLE",
                    "RESERVABLE",
                    "RFID_READER",
                ],
                physical_reference="07",
                floor_level="-1",
                coordinates={"latitude": "50.941278", "longitude": "6.958281"},
                directions=[{"language": "en", "text": "Next to the lift"}],
                images=[IMAGE],
                parking=[{"parking_id": "p1", "evse_position": "LEFT"}],
                status="CHARGING",
                status_schedule=[
                    {"status": "RESERVED", **AT_ALL_TIMES},
                    {"status": "INOPERATIVE", "period_begin": "2027-01-01T00:00:00Z"},
                ],
                connectors=[
                    connector(id="1", tariff_ids=["DAY", "CARD"]),
                    connector(
                        id="2",
                        standard="IEC_62196_T2_COMBO",
                        format="CABLE",
                        power_type="DC",
                        max_voltage=920,
                        max_amperage=200,
                        max_electric_power=150000,
                        capabilities=["ISO_15118_20_PLUG_AND_CHARGE"],
                        tariff_ids=["day"],
                    ),
                ],
            ),
            evse(
                uid="2",
                floor_level="0",
                parking_restrictions=["DISABLED", "CUSTOMERS", "PLUGGED"],
                connectors=[
                    connector(id="1", standard="CHAOJI", format="CABLE", tariff_ids=["FREE"])
                ],
            ),
            evse(
                uid="3",
                status="OUTOFORDER",
                parking_restrictions=["MOTORCYCLES"],
                connectors=[connector(power_type="AC_1_PHASE", format="CABLE")],
            ),
            evse(uid="4", status="REMOVED"),
        ],
    )
    return validate(inner.MODELS[ObjectKind.LOCATION], made)


def complete_tariffs() -> list[JsonObject]:
    owner = {"country_code": "NL", "party_id": "EVC"}
    made = [
        tariff(
            **owner,
            id="DAY",
            type="AD_HOC_PAYMENT",
            tariff_alt_text=[{"language": "en", "text": "Day & night"}],
            start_date_time="2026-01-01T00:00:00Z",
            end_date_time="2026-12-31T23:00:00Z",
            max_price={"excl_vat": 40, "incl_vat": 48.4},
            min_price={"excl_vat": 1},
            elements=[
                {
                    "price_components": [
                        {"type": "ENERGY", "price": 0.2893, "vat": 21, "step_size": 1},
                        {"type": "FLAT", "price": 0.5, "vat": 21, "step_size": 1},
                    ],
                    "restrictions": {
                        "start_time": "08:00",
                        "end_time": "20:00",
                        "day_of_week": ["MONDAY", "SUNDAY"],
                        "start_date": "2026-06-01",
                        "end_date": "2026-07-01",
                        "max_kwh": 50,
                        "min_power": 11,
                    },
                },
                {
                    "price_components": [
                        {"type": "PARKING_TIME", "price": 2.5, "vat": 21, "step_size": 60}
                    ],
                    "restrictions": {"min_duration": 14400, "max_duration": 28830},
                },
                {
                    "price_components": [{"type": "ENERGY", "price": 0.25, "step_size": 1}],
                    "restrictions": {"min_kwh": 0.5},
                },
                {
                    "price_components": [{"type": "TIME", "price": 60, "step_size": 1}],
                    "restrictions": {"reservation": "RESERVATION"},
                },
            ],
        ),
        tariff(
            **owner,
            id="FREE",
            elements=[{"price_components": [{"type": "ENERGY", "price": 0, "step_size": 1}]}],
        ),
        tariff(**owner, id="CARD", type="REGULAR"),
    ]
    return [validate(inner.MODELS[ObjectKind.TARIFF], one) for one in made]


def table(*locations: JsonObject, tariffs: list[JsonObject]) -> bytes:
    return _document("table.xml", locations, tariffs)


def status(*locations: JsonObject, tariffs: list[JsonObject]) -> bytes:
    return _document("status.xml", locations, tariffs)


def table_json(*locations: JsonObject, tariffs: list[JsonObject]) -> bytes:
    return _document("table.json", locations, tariffs)


def status_json(*locations: JsonObject, tariffs: list[JsonObject]) -> bytes:
    return _document("status.json", locations, tariffs)


def _document(name: str, locations: Iterable[JsonObject], tariffs: list[JsonObject]) -> bytes:
    form, known = FORMS[name], Tariffs(tariffs)
    made = (form.part(orjson.dumps(one), known, PUBLISHER) for one in locations)
    parts = form.between.join(one for one in made if one)
    return form.begin(PUBLISHER, MADE_AT) + parts + form.end(PUBLISHER, MADE_AT)
