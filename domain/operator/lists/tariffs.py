"""The list of tariffs, as peers get them."""

from __future__ import annotations

from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedDocument
from domain.listing.filters import party
from domain.listing.listing import Listing, Question
from domain.operator.lists.objects import NEWEST, OLDEST, stored
from domain.pricing.tariff_words import tariff_in_words


async def question(db: Database, values: JsonObject) -> Question:
    return Question({"owner": values["party"]} if "party" in values else {})


async def rows(db: Database, documents: list[OwnedDocument]) -> list[JsonObject]:
    return [
        {
            **document["fields"],
            "key": document["_id"],
            "words": tariff_in_words(document["fields"], brief=True).clauses,
        }
        for document in documents
    ]


LIST: Listing[OwnedDocument] = Listing(
    name="tariffs",
    source=stored("tariffs", question, {"fields": 1, "seq": 1}),
    rows=rows,
    filters=(party("party", "Party of ours", "Of this party of ours"),),
    orders=(NEWEST, OLDEST),
    columns={
        "country_code": "country_code",
        "party_id": "party_id",
        "id": "id",
        "type": "type",
        "currency": "currency",
        "prices": "words",
        "from": "start_date_time",
        "until": "end_date_time",
        "last_updated": "last_updated",
    },
)
