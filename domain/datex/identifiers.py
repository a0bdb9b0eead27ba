"""What the objects of a location are called in DATEX II, and the version that they have.

Ids follow from OCPI's and never change. A version is told from what DATEX II's table says of the
location: it is another one when that has changed, and stays when only a status has. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import orjson

from db_interface.json_data import JsonMapping, JsonObject

_VERSION_BYTES = 6
_OF_THE_STATUS = frozenset({"status", "status_schedule", "last_updated"})
_CONNECTORS_TIME = frozenset({"last_updated"})
REMOVED = "REMOVED"


def site_id(location: JsonMapping) -> str:
    return f"{location['country_code']}*{location['party_id']}*{location['id']}"


def station_id(site: str) -> str:
    """OCPI knows no stations: a location is one."""
    return f"{site}/station"


def point_id(site: str, evse: JsonMapping) -> str:
    return f"{site}/evse/{evse['uid']}"


def rate_id(site: str, tariff: JsonMapping) -> str:
    """Of a tariff at this site: an id may stand in a publication once."""
    return f"{site}/tariff/{tariff['id']}"


def present(location: JsonMapping) -> list[JsonMapping]:
    """The EVSEs that stand in the table."""
    return [evse for evse in location.get("evses") or () if evse["status"] != REMOVED]


def version(location: JsonMapping, rates: Iterable[JsonMapping]) -> str:
    """`rates`: what it costs there, as the table has it."""
    fixed: JsonObject = {
        **{name: value for name, value in location.items() if name != "last_updated"},
        "evses": [_fixed(evse) for evse in present(location)],
    }
    said = orjson.dumps([fixed, list(rates)], option=orjson.OPT_SORT_KEYS)
    return blake2b(said, digest_size=_VERSION_BYTES).hexdigest()


def _fixed(evse: JsonMapping) -> JsonObject:
    kept = {name: value for name, value in evse.items() if name not in _OF_THE_STATUS}
    kept["connectors"] = [
        {name: value for name, value in connector.items() if name not in _CONNECTORS_TIME}
        for connector in evse["connectors"]
    ]
    return kept
