"""The publications in DATEX II's JSON encoding, as the profile "AFIR Energy Infrastructure" has it,
which is what the German access point takes (01-00-00). Pure.

The profile is of before DATEX II 3.7: it lacks some of its fields, and calls a few words otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex.publications import MODEL, TABLE_NAME, read_location, table_id
from domain.datex.publisher import Publisher
from domain.datex.rates import Tariffs
from domain.datex.sites import site_of
from domain.datex.statuses import site_status
from domain.datex.words import EQUIPMENT, enum
from domain.times import format_datetime

MEDIA_TYPE = "application/json"
_PROFILE = {
    "modelBaseVersionG": MODEL,
    "profileNameG": "AFIR Energy Infrastructure",
    "profileVersionG": "01-00-00",
}
_LATER = frozenset(
    {"associatedFacility", "electricEnergySourceRatio", "priceGroupIndex", "renewableSources"}
)
"""Fields of DATEX II 3.7 that the profile does not have."""
_WORDS: Mapping[str, str] = {
    f"domestic{letter}Type": f"domestic{letter}" for letter in "ABCDEFGHIJKLMNO"
}
_ITS_IDENTIFIERS = ("operatorId",)
_HERE = b"@"


def table_begin(publisher: Publisher, made_at: datetime) -> bytes:
    return _around(_table(publisher, made_at))[0]


def table_end(publisher: Publisher, made_at: datetime) -> bytes:
    return _around(_table(publisher, made_at))[1]


def status_begin(publisher: Publisher, made_at: datetime) -> bytes:
    return _around(_status(publisher, made_at))[0]


def status_end(publisher: Publisher, made_at: datetime) -> bytes:
    return _around(_status(publisher, made_at))[1]


def table_part(location: bytes, tariffs: Tariffs, publisher: Publisher) -> bytes | None:
    return _written(site_of(read_location(location), tariffs, publisher))


def status_part(location: bytes, tariffs: Tariffs, _publisher: Publisher) -> bytes | None:
    return _written(site_status(read_location(location), tariffs))


def _written(object_: JsonMapping | None) -> bytes | None:
    return None if object_ is None else orjson.dumps(_in_profile(object_))


def _in_profile(value: object) -> object:
    if isinstance(value, dict):
        if value.get("otherTypeOfIdentifier") in _ITS_IDENTIFIERS:
            known = {"value": "extendedG", "extendedValueG": value["otherTypeOfIdentifier"]}
            return {"identifier": value["identifier"], "typeOfIdentifier": known}
        if EQUIPMENT in value:
            value = {**value, **value[EQUIPMENT]}
            del value[EQUIPMENT]
        return {name: _in_profile(one) for name, one in value.items() if name not in _LATER}
    if isinstance(value, list):
        return [_in_profile(one) for one in value]
    return _WORDS.get(value, value) if isinstance(value, str) else value


def _table(publisher: Publisher, made_at: datetime) -> JsonObject:
    publication = {
        **_publication(publisher, made_at),
        "energyInfrastructureTable": [
            {
                "idG": table_id(publisher),
                "versionG": format_datetime(made_at),
                "tableName": TABLE_NAME,
                "energyInfrastructureSite": [_HERE.decode()],
            }
        ],
    }
    return {"payload": {**_PROFILE, "aegiEnergyInfrastructureTablePublication": publication}}


def _status(publisher: Publisher, made_at: datetime) -> JsonObject:
    """With what says how it is exchanged: it is all there is, and the access point is given it."""
    publication = {
        **_publication(publisher, made_at),
        "tableReference": [
            {"targetClass": "EnergyInfrastructureTable", "idG": table_id(publisher)}
        ],
        "energyInfrastructureSiteStatus": [_HERE.decode()],
    }
    exchange = {
        "exchangeContext": {
            "codedExchangeProtocol": enum("snapshotPush"),
            "exchangeSpecificationVersion": "3.0",
            "supplierOrCisRequester": {},
        },
        "dynamicInformation": {
            "exchangeStatus": enum("online"),
            "messageGenerationTimestamp": format_datetime(made_at),
        },
    }
    payload = {**_PROFILE, "aegiEnergyInfrastructureStatusPublication": publication}
    return {"messageContainer": {"payload": [payload], "exchangeInformation": exchange}}


def _publication(publisher: Publisher, made_at: datetime) -> JsonObject:
    return {
        "lang": publisher.language,
        "publicationTime": format_datetime(made_at),
        "publicationCreator": {
            "country": publisher.country,
            "nationalIdentifier": publisher.national_id,
        },
        "headerInformation": {
            "confidentiality": enum("noRestriction"),
            "informationStatus": enum("real"),
        },
    }


def _around(document: JsonObject) -> tuple[bytes, bytes]:
    """What stands before the objects, and behind them."""
    begin, _, end = orjson.dumps(document).partition(b'["%b"]' % _HERE)
    return begin + b"[", b"]" + end
