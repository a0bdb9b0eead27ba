"""The list of stations: boxes that speak OCPP, also those that wait to be added."""

from __future__ import annotations

import re

from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.owned_objects import fold
from domain.listing.filters import choice, text
from domain.listing.listing import Listing, Question, Stored
from domain.ocpp.stations import STATIONS, Station, Status
from domain.operator.stations import with_connections
from domain.paging import Order


async def question(db: Database, values: JsonObject) -> Question:
    query: JsonObject = {}
    if "q" in values:
        query["folded_id"] = {"$regex": f"^{re.escape(fold(values['q']))}"}
    if "status" in values:
        query["status"] = values["status"]
    return Question(query)


LIST: Listing[Station] = Listing(
    name="stations",
    source=Stored(STATIONS.of, question),
    rows=with_connections,
    filters=(
        text("q", "Id begins with", "Whose id begins so, in any case."),
        choice("status", "Status", "Added, or waiting to be.", [one.value for one in Status]),
    ),
    orders=(
        Order("id", "by id", [("folded_id", 1)]),
        Order("-id", "by id, backwards", [("folded_id", -1)]),
    ),
    columns={
        "station": "id",
        "status": "status",
        "connected": "connected",
        "connected_since": "connected_since",
        "protocol": "protocol",
        "security_profile": "security_profile",
        "vendor": "vendor",
        "model": "model",
        "serial": "serial",
        "firmware": "firmware",
        "last_message": "last_message_at",
        "charge_points": "charge_points",
    },
)
