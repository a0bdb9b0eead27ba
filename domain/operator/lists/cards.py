"""The list of drivers' cards: the Tokens that eMSPs have given us. Their numbers are shortened."""

from __future__ import annotations

from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedDocument
from domain.listing.filters import flag, party, text
from domain.listing.listing import Listing, Question
from domain.operator.lists.objects import NEWEST, OLDEST, fields_of, stored
from domain.operator.shortened import shortened


async def question(db: Database, values: JsonObject) -> Question:
    query: JsonObject = {}
    if "party" in values:
        query["owner"] = values["party"]
    if "contract" in values:
        query["fields.contract_id"] = values["contract"]
    if "valid" in values:
        query["fields.valid"] = values["valid"]
    return Question(query)


async def rows(db: Database, documents: list[OwnedDocument]) -> list[JsonObject]:
    return [{**row["fields"], "uid": shortened(row["fields"].get("uid"))} for row in documents]


LIST: Listing[OwnedDocument] = Listing(
    name="cards",
    source=stored(
        "tokens",
        question,
        fields_of(
            *("country_code", "party_id", "uid", "type", "contract_id", "issuer", "valid"),
            *("whitelist", "last_updated"),
        ),
    ),
    rows=rows,
    filters=(
        party("party", "Party", "Of this eMSP"),
        text("contract", "Contract", "Of this contract.", 36, narrow=True),
        flag("valid", "Valid", "That may charge, or may not."),
    ),
    orders=(NEWEST, OLDEST),
    columns={
        name: name
        for name in (
            *("country_code", "party_id", "uid", "type", "contract_id", "issuer", "valid"),
            *("whitelist", "last_updated"),
        )
    },
)
