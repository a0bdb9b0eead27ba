"""DATEX II's two publications as XML: what stands around the sites, and each site's part. Pure.

EnergyInfrastructureTablePublication says what is fixed, EnergyInfrastructureStatusPublication what
changes and what it costs; the latter refers to the former.
"""

from __future__ import annotations

from datetime import datetime

import orjson

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex.publisher import Publisher
from domain.datex.rates import Tariffs
from domain.datex.shapes import SITE, SITE_STATUS
from domain.datex.sites import site_of
from domain.datex.statuses import site_status
from domain.datex.xml import NAMESPACES, Out, Shape, escaped
from domain.times import format_datetime

MEDIA_TYPE = "application/xml"
MODEL = "3"
TABLE_NAME = "Charging locations"


def table_id(publisher: Publisher) -> str:
    return f"{publisher.national_id}/table"


def table_begin(publisher: Publisher, made_at: datetime) -> bytes:
    """Made at another time, it is another version of the table."""
    id_, version = escaped(table_id(publisher)), format_datetime(made_at)
    return (
        _begin("EnergyInfrastructureTablePublication", publisher, made_at)
        + _header()
        + f'<aegi:energyInfrastructureTable id="{id_}" version="{version}">'
        + f"<aegi:tableName>{TABLE_NAME}</aegi:tableName>"
    ).encode()


def table_end(_publisher: Publisher, _made_at: datetime) -> bytes:
    return b"</aegi:energyInfrastructureTable></d2:payload>"


def status_begin(publisher: Publisher, made_at: datetime) -> bytes:
    """The table is referred to by its id: each object's reference has the version that it is of."""
    id_ = escaped(table_id(publisher))
    return (
        _begin("EnergyInfrastructureStatusPublication", publisher, made_at)
        + f'<aegi:tableReference id="{id_}" targetClass="aegi:EnergyInfrastructureTable"/>'
        + _header()
    ).encode()


def status_end(_publisher: Publisher, _made_at: datetime) -> bytes:
    return b"</d2:payload>"


def table_part(location: bytes, tariffs: Tariffs, publisher: Publisher) -> bytes | None:
    """A Location, as JSON of the inner model, as its site; None: it does not stand in the table."""
    return _written(
        site_of(read_location(location), tariffs, publisher), "energyInfrastructureSite", SITE
    )


def status_part(location: bytes, tariffs: Tariffs, _publisher: Publisher) -> bytes | None:
    status = site_status(read_location(location), tariffs)
    return _written(status, "energyInfrastructureSiteStatus", SITE_STATUS)


def _written(object_: JsonMapping | None, name: str, shape: Shape) -> bytes | None:
    if object_ is None:
        return None
    out: Out = []
    shape(out, f"aegi:{name}", object_)
    return "".join(out).encode()


def read_location(raw: bytes) -> JsonObject:
    location: JsonObject = orjson.loads(memoryview(raw))
    return location


def _begin(type_: str, publisher: Publisher, made_at: datetime) -> str:
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<d2:payload {declared} xsi:type="aegi:{type_}"'
        f' lang="{escaped(publisher.language)}" modelBaseVersion="{MODEL}">'
        f"<com:publicationTime>{format_datetime(made_at)}</com:publicationTime>"
        f"<com:publicationCreator><com:country>{escaped(publisher.country)}</com:country>"
        f"<com:nationalIdentifier>{escaped(publisher.national_id)}</com:nationalIdentifier>"
        "</com:publicationCreator>"
    )


def _header() -> str:
    return (
        "<aegi:headerInformation>"
        "<com:confidentiality>noRestriction</com:confidentiality>"
        "<com:informationStatus>real</com:informationStatus>"
        "</aegi:headerInformation>"
    )
