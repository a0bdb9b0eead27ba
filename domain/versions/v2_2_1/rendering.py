"""Inner objects as OCPI 2.2.1 has them: without what later versions added."""

from __future__ import annotations

from db_interface.json_data import JsonObject
from domain import schemas
from domain.schemas.location_enums import ConnectorType
from domain.versions.fitting import ANY, Notes, Rules, fitting
from domain.versions.ocpi_version import Context
from domain.versions.plugs import SAME_SHAPE, named
from domain.versions.taxes import prices_without_taxes
from domain.versions.v2_2_1.schemas import MODELS

_INTO = "OCPI 2.2.1"
_PLUGS = {member.value for member in ConnectorType}


def _tariff(tariff: JsonObject, notes: Notes, _context: Context) -> JsonObject:
    return prices_without_taxes(tariff, notes, _INTO)


def _cdr_location(given: JsonObject, notes: Notes, _context: Context) -> JsonObject:
    standard = given["connector_standard"]
    power_type = given["connector_power_type"]
    plug = named(standard, power_type, _PLUGS, notes, "connector_standard", _INTO)
    return {**given, "connector_standard": plug}


RULES = Rules(
    into=_INTO,
    nearest={
        "ConnectorType": SAME_SHAPE,
        "ImageCategory": {ANY: "OTHER"},
        "TokenType": {ANY: "OTHER"},
    },
    shapes={schemas.Tariff: _tariff, schemas.CdrLocation: _cdr_location},
)
RENDERERS = fitting(MODELS, RULES)
