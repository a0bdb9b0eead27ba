"""Tariffs as an operator sees them: their prices in words, and where each is used."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from db_interface.database import Database
from db_interface.indexes import ANY_CASE
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedDocument, OwnedObjects
from domain.objects.tariff_assignment import locations_of_tariff
from domain.platform_facts import default_tariff
from domain.pricing.tariff_words import tariff_in_words
from domain.sessions.session_records import SESSIONS

MAX_COUNTED = 10_000
"""More locations or sessions than these are not counted."""
MAX_NAMED = 10

_NAMES = "fields.evses.connectors.tariff_ids"


@dataclass(frozen=True)
class NamingLocation:
    key: str
    id: str
    name: str
    city: str


@dataclass(frozen=True)
class TariffUse:
    """Where a tariff applies: connectors that name it (whoever's word that is), the default, and
    running sessions, which keep it as it was when they were opened."""

    locations: int
    evses: int
    connectors: int
    first: list[NamingLocation]
    assigned_at: int
    """Locations at which the operator's word names it."""
    default: bool
    running_sessions: int

    @property
    def nowhere(self) -> bool:
        return not (self.locations or self.assigned_at or self.default)


async def summary(db: Database, document: OwnedDocument) -> JsonObject:
    """A tariff's document in words, and where it is used."""
    fields: JsonMapping = document["fields"]
    words = tariff_in_words(fields)
    return {
        "tariff_id": fields["id"],
        "party": f"{fields['country_code']}/{fields['party_id']}",
        "words": words.line,
        "clauses": list(words.clauses),
        "last_updated": fields["last_updated"],
        "used": asdict(await use_of(db, document)),
    }


async def use_of(db: Database, document: OwnedDocument) -> TariffUse:
    """Of a tariff's document. Locations of its party alone: a connector names its own party's."""
    fields = document["fields"]
    tariff_id = str(fields["id"])
    counted = await _counted(db, document["owner"], tariff_id)
    running = await SESSIONS.of(db).count(
        {
            "running": True,
            "tariffs.id": tariff_id,
            "country_code": fields["country_code"],
            "party_id": fields["party_id"],
        },
        limit=MAX_COUNTED,
    )
    return TariffUse(
        locations=counted.get("locations", 0),
        evses=counted.get("evses", 0),
        connectors=counted.get("connectors", 0),
        first=[
            NamingLocation(one["key"], one["id"], one.get("name") or "", one["city"])
            for one in counted.get("first", ())
        ],
        assigned_at=await locations_of_tariff(db, tariff_id),
        default=(await default_tariff(db) or "").lower() == tariff_id.lower(),
        running_sessions=running,
    )


async def _counted(db: Database, owner: str, tariff_id: str) -> JsonObject:
    """Locations, EVSEs and connectors that name it, and the first locations; {} where none do."""
    named = {"$in": [tariff_id, {"$ifNull": ["$$connector.tariff_ids", []]}]}
    naming = {
        "$filter": {
            "input": {"$ifNull": ["$$evse.connectors", []]},
            "as": "connector",
            "cond": named,
        }
    }
    per_evse = {"$map": {"input": "$fields.evses", "as": "evse", "in": {"$size": naming}}}
    stages: list[JsonObject] = [
        {"$match": {_NAMES: tariff_id, "owner": owner}},
        {"$limit": MAX_COUNTED},
        {
            "$project": {
                "key": "$_id",
                "id": "$fields.id",
                "name": "$fields.name",
                "city": "$fields.city",
                "of": {"$filter": {"input": per_evse, "as": "n", "cond": {"$gt": ["$$n", 0]}}},
            }
        },
        {
            "$group": {
                "_id": None,
                "locations": {"$sum": 1},
                "evses": {"$sum": {"$size": "$of"}},
                "connectors": {"$sum": {"$sum": "$of"}},
                "first": {
                    "$firstN": {
                        "n": MAX_NAMED,
                        "input": {"key": "$key", "id": "$id", "name": "$name", "city": "$city"},
                    }
                },
            }
        },
    ]
    locations = OwnedObjects(db, "locations").of(db).driver
    found: list[JsonObject] = await locations.aggregate(stages, collation=ANY_CASE).to_list(1)
    return found[0] if found else {}
