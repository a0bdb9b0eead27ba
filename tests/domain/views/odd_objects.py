"""Inner objects with what versions show otherwise: each thing that docs/ocpi-versions.md lists."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

from domain.schemas import enums, location_enums
from domain.versions import ObjectKind
from domain.versions.v2_3_0.schemas import enums as enums_2_3_0
from tests.domain.schemas.samples import AT, cdr, connector, evse, location, session, tariff

Named = tuple[str, ObjectKind, dict[str, Any]]
_LONG_ID = "0f8fad5b-d9cb-469f-a165-70867728950e-C"
_PRICE = {"excl_vat": 4.0, "incl_vat": 4.84, "taxes": [{"name": "QST", "amount": 0.84}]}


def odd_objects() -> Iterator[Named]:
    for number, fields in enumerate(_locations()):
        yield f"odd/{number}/location", ObjectKind.LOCATION, location(id="LOC1", **fields)
    for number, fields in enumerate(_tariffs()):
        yield f"odd/{number}/tariff", ObjectKind.TARIFF, tariff(**fields)
    for number, fields in enumerate(_bills()):
        yield f"odd/{number}/cdr", ObjectKind.CDR, cdr(**fields)
    for number, fields in enumerate(_sessions()):
        yield f"odd/{number}/session", ObjectKind.SESSION, session(**fields)


def _values(kind: type[Enum]) -> list[str]:
    return [str(member.value) for member in kind]


def _locations() -> Iterator[dict[str, Any]]:
    for publish in (True, False):
        yield {"publish": publish, "postal_code": "9000"}
    yield {"name": "Köln-Ehrenfeld Αθήνα", "address": "A" * 60, "state": "Oost-Vlaanderen"}
    yield {"coordinates": {"latitude": "51.04759", "longitude": "3.7299444"}}
    for kind in _values(location_enums.ParkingType):
        yield {"parking_type": kind}
    yield {"facilities": [*_values(location_enums.Facility), "SAUNA"]}
    yield {"help_phone": "+32 9 123", "evses": [evse(accepted_service_providers=["TNM"])]}
    plugs = [
        connector(id=str(number), standard=standard, power_type=power)
        for number, standard in enumerate(enums_2_3_0.ConnectorType.known)
        for power in ("DC", "AC_1_PHASE")
    ]
    yield {"evses": [evse(uid=f"E{n}", connectors=[plug]) for n, plug in enumerate(plugs)]}
    yield {
        "evses": [
            evse(
                evse_id="BE*BEC*E1",
                capabilities=_values(location_enums.Capability),
                parking_restrictions=list(enums_2_3_0.ParkingRestriction.known),
                connectors=[
                    connector(id=power, power_type=power, max_electric_power=22000)
                    for power in _values(location_enums.PowerType)
                ],
            )
        ]
    }
    yield {"evses": [evse(connectors=[connector(tariff_ids=["A", "C", "B"])])]}


def _tariffs() -> Iterator[dict[str, Any]]:
    energy = {"type": "ENERGY", "price": 0.59, "vat": 19, "step_size": 1}
    for included in ("YES", "NO", "N/A"):
        yield {"tax_included": included, "elements": [{"price_components": [energy]}]}
    yield {"tax_included": "YES"}
    for name in _values(enums.TariffType):
        yield {"type": name, "min_price": {"excl_vat": 1}, "max_price": {"excl_vat": 9}}
    yield from (
        {"start_date_time": "2024-05-01T12:00:00.001Z"},
        {"start_date_time": "2024-05-01T12:00:00Z"},
        {"end_date_time": "2024-05-01T11:59:59Z"},
        {"end_date_time": "2024-05-01T12:00:00Z"},
    )
    plain = {"price_components": [energy]}
    for restrictions in ({"reservation": "RESERVATION"}, {"min_current": 6}, {"max_power": 50}):
        yield {"elements": [{**plain, "restrictions": restrictions}, plain]}
        yield {"elements": [{**plain, "restrictions": restrictions}]}


def _bills() -> Iterator[dict[str, Any]]:
    yield {"total_cost": _PRICE, "total_energy_cost": _PRICE, "session_id": "S1"}
    yield {
        "id": _LONG_ID,
        "credit": True,
        "credit_reference_id": _LONG_ID[:-2],
        "total_cost": {"excl_vat": -4.0},
        "remark": "Too much",
    }
    for method in _values(enums.AuthMethod):
        yield {"auth_method": method, "authorization_reference": "R1"}
    dimensions = [{"type": name, "volume": 1} for name in _values(enums.CdrDimensionType)]
    yield {"charging_periods": [{"start_date_time": AT, "dimensions": dimensions}]}
    for plug, power in (("MCS", "DC"), ("SAE_J3400", "AC_1_PHASE"), ("CHAOJI", "DC")):
        place = {**cdr()["cdr_location"], "connector_standard": plug, "connector_power_type": power}
        yield {"cdr_location": place}
    yield {"cdr_location": {**cdr()["cdr_location"], "evse_uid": "#NA", "evse_id": "#NA"}}
    old = tariff(type="REGULAR", end_date_time="2020-01-01T00:00:00Z", tax_included="YES")
    yield {"tariffs": [old]}


def _sessions() -> Iterator[dict[str, Any]]:
    for status in _values(enums.SessionStatus):
        yield {"status": status, "total_cost": _PRICE}
    yield {"connector_id": "9"}
    yield {"cdr_token": {**cdr()["cdr_token"], "type": "EMAID"}}
