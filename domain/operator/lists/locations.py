"""The list of locations, as peers get them, and of those that no peer gets."""

from __future__ import annotations

import re

from db_interface.database import Database
from db_interface.indexes import BY_NAME
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import NOBODY, OwnedDocument, OwnedObjects, fold
from domain.listing.filters import flag, party, text
from domain.listing.listing import Listing, Question
from domain.operator.lists.objects import NEWEST, OLDEST, fields_of, stored
from domain.paging import Order
from domain.visibility import GUESTS

_LAST_LETTER = "\uffff"
_NAMES = ("fields.name", "fields.city")
_BY_ID = Order("id", "by id", [("lid", 1), ("owner", 1)])


async def question(db: Database, values: JsonObject) -> Question:
    query: JsonObject = {}
    if values.get("held") is not None:
        query["audience"] = NOBODY if values["held"] else {"$ne": NOBODY}
    if "party" in values:
        query["owner"] = values["party"]
    if "q" in values:
        return await _beginning(db, values["q"], query)
    return Question(query)


async def rows(db: Database, documents: list[OwnedDocument]) -> list[JsonObject]:
    return [_row(document) for document in documents]


def begins(said: str) -> JsonObject:
    """Of a name in an index that compares as people do."""
    return {"$gte": said, "$lt": said + _LAST_LETTER}


async def _beginning(db: Database, said: str, others: JsonMapping) -> Question:
    """By the first of these that anything begins with it: id, name, city."""
    by_id = {**others, "lid": {"$regex": f"^{re.escape(fold(said))}"}}
    documents = OwnedObjects(db, "locations").of(db)
    if await documents.count(by_id, limit=1):
        return Question(by_id, order=_BY_ID)
    for name in _NAMES:
        by_name = {**others, name: begins(said)}
        if await documents.count(by_name, limit=1, collation=BY_NAME):
            in_order = Order("name", "by name", [(name, 1), ("seq", 1)])
            return Question(by_name, BY_NAME, order=in_order)
    return Question(by_id, order=_BY_ID)


def _row(document: OwnedDocument) -> JsonObject:
    fields = document["fields"]
    evses = fields.get("evses") or []
    statuses: dict[str, int] = {}
    for evse in evses:
        statuses[evse["status"]] = statuses.get(evse["status"], 0) + 1
    audience = {NOBODY: "held back", GUESTS: "guests only"}.get(document["audience"], "offered")
    return {
        **fields,
        "key": document["_id"],
        "audience": audience,
        "statuses": sorted(statuses.items()),
        "evses": len(evses),
        "last_updated": document["last_updated"],
    }


LIST: Listing[OwnedDocument] = Listing(
    name="locations",
    source=stored(
        "locations",
        question,
        {
            "audience": 1,
            "last_updated": 1,
            **fields_of(
                *("id", "country_code", "party_id", "name", "address", "postal_code", "city"),
                *("country", "coordinates", "evses.status"),
            ),
        },
    ),
    rows=rows,
    filters=(
        text("q", "Id, name or city begins with", "Whose id, name or city begins so.", narrow=True),
        flag("held", "Held back", "Those that no peer may see, or all others."),
        party("party", "Party of ours", "Of this party of ours"),
    ),
    orders=(
        NEWEST,
        OLDEST,
        _BY_ID,
    ),
    columns={
        "country_code": "country_code",
        "party_id": "party_id",
        "id": "id",
        "name": "name",
        "address": "address",
        "postal_code": "postal_code",
        "city": "city",
        "country": "country",
        "latitude": "coordinates.latitude",
        "longitude": "coordinates.longitude",
        "evses": "evses",
        "peers": "audience",
        "last_updated": "last_updated",
    },
)
