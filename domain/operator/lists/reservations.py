"""The list of reservations: who may use an EVSE until when."""

from __future__ import annotations

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.listing.filters import between, flag, period, text
from domain.listing.listing import Listing, Question, Stored
from domain.paging import newest_by, oldest_by
from domain.reservations.reservations import RESERVATIONS, Reservation

SHOWN = (
    *("_id", "peer_id", "reservation_id", "status", "active", "owner", "cp_id", "connector_id"),
    *("location_id", "evse_uid", "expiry_date", "command_id", "created", "session_id", "ended"),
)
_TOKEN = ("token.country_code", "token.party_id", "token.contract_id")


async def question(db: Database, values: JsonObject) -> Question:
    query: JsonObject = {}
    if "charge_point" in values:
        query["cp_id"] = values["charge_point"]
    if "active" in values:
        query["active"] = values["active"]
    created = between(values)
    return Question(query if created is None else {**query, "created": created})


async def rows(db: Database, documents: list[Reservation]) -> list[JsonObject]:
    return [
        {
            **{name: document.get(name) for name in SHOWN if name != "_id"},
            "id": document["_id"],
            "token": document.get("token") or {},
        }
        for document in documents
    ]


LIST: Listing[Reservation] = Listing(
    name="reservations",
    source=Stored(RESERVATIONS.of, question, dict.fromkeys((*SHOWN, *_TOKEN), 1)),
    rows=rows,
    filters=(
        text("charge_point", "Charge point", "Of this charge point.", narrow=True),
        flag("active", "Holds an EVSE now", "Those that hold an EVSE now, or all others."),
        *period("Made"),
    ),
    orders=(newest_by("created"), oldest_by("created")),
    columns={
        "id": "id",
        "status": "status",
        "charge_point": "cp_id",
        "connector_id": "connector_id",
        "location_id": "location_id",
        "made": "created",
        "until": "expiry_date",
        "ended": "ended",
        "peer": "peer_id",
        "reservation_id": "reservation_id",
        "token_contract_id": "token.contract_id",
        "session_id": "session_id",
        "command_id": "command_id",
    },
)
