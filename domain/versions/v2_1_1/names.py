"""What OCPI 2.1.1 calls otherwise: by its classes, its name of a field and the inner one."""

from __future__ import annotations

from collections.abc import Mapping

from domain.schemas import OcpiModel
from domain.versions.v2_1_1.schemas import bills, locations, tokens

NAMES: Mapping[type[OcpiModel], Mapping[str, str]] = {
    locations.Location: {"type": "parking_type"},
    locations.Connector: {
        "voltage": "max_voltage",
        "amperage": "max_amperage",
        "tariff_id": "tariff_ids",
    },
    locations.EnvironmentalImpact: {"source": "category"},
    bills.Session: {
        "start_datetime": "start_date_time",
        "end_datetime": "end_date_time",
        "auth_id": "cdr_token",
    },
    bills.CDR: {
        "stop_date_time": "end_date_time",
        "auth_id": "cdr_token",
        "location": "cdr_location",
    },
    tokens.Token: {"auth_id": "contract_id"},
}
