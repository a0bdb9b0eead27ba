"""Inner objects as OCPI 2.1.1 has them.

A plug that 2.1.1 cannot name is left out of a Location: a wrong one would send a driver in vain. In
sessions and CDRs, where an EVSE must not be missing, it becomes the commonest plug of its current
(bill_shapes.py).
"""

from __future__ import annotations

from dataclasses import replace

from domain.versions.fitting import Rules, fitting
from domain.versions.ocpi_version import ObjectKind
from domain.versions.v2_1_1 import shapes
from domain.versions.v2_1_1.bill_shapes import cdr, charging_period, session
from domain.versions.v2_1_1.names import NAMES
from domain.versions.v2_1_1.nearest import NEAREST
from domain.versions.v2_1_1.schemas import (
    MODELS,
    bills,
    credentials,
    locations,
    tariffs,
    tokens,
)
from domain.versions.v2_1_1.text import ascii_text

RULES = Rules(
    into="OCPI 2.1.1",
    names=NAMES,
    nearest=NEAREST,
    shapes={
        locations.Location: shapes.location,
        locations.GeoLocation: shapes.coordinates,
        locations.AdditionalGeoLocation: shapes.coordinates,
        locations.Connector: shapes.connector,
        tariffs.Tariff: shapes.tariff,
        tariffs.TariffElement: shapes.tariff_element,
        tokens.ReserveNow: shapes.reserve_now,
        credentials.Credentials: shapes.credentials,
    },
    text=ascii_text,
)
RULES_OF_BILLS = replace(
    RULES,
    shapes={
        **RULES.shapes,
        locations.Location: shapes.location_of_bill,
        tariffs.Tariff: shapes.tariff_of_bill,
        bills.Session: session,
        bills.CDR: cdr,
        bills.ChargingPeriod: charging_period,
    },
)
"""A session's or CDR's Location is no offer to drivers: it may be one that is not published.
And its tariffs are those of then."""

_BILLS = (ObjectKind.SESSION, ObjectKind.CDR)
RENDERERS = {
    **fitting({kind: model for kind, model in MODELS.items() if kind not in _BILLS}, RULES),
    **fitting({kind: MODELS[kind] for kind in _BILLS}, RULES_OF_BILLS),
}
