"""The list of charging sessions, as EV_Central keeps them."""

from __future__ import annotations

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.listing.filters import between, choice, period, text
from domain.listing.listing import Listing, Question, Stored
from domain.operator.money import QUERIES, Kind
from domain.operator.sessions import SESSION_FACTS, shown
from domain.paging import newest_by, oldest_by
from domain.peers.peers import audiences_of
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_records import SESSIONS
from domain.sessions.session_states import Status

LOOKS = {kind.name.lower().replace("_", "-"): kind for kind in Kind}
"""The ways in which a session's bill needs a look, as addresses name them."""


async def question(db: Database, values: JsonObject) -> Question:
    query: JsonObject = {}
    if "charge_point" in values:
        query["cp_id"] = values["charge_point"]
    if "status" in values:
        query["status"] = values["status"]
    if "peer" in values:
        query["audience"] = {"$in": await audiences_of(db, values["peer"])}
    if "contract" in values:
        query["token.contract_id"] = values["contract"]
    if "look" in values:
        query |= QUERIES[LOOKS[values["look"]]]
    created = between(values)
    return Question(query if created is None else {**query, "created": created})


LIST: Listing[ChargingSession] = Listing(
    name="sessions",
    source=Stored(SESSIONS.of, question, SESSION_FACTS),
    rows=shown,
    filters=(
        text("charge_point", "Charge point", "At this charge point.", narrow=True),
        choice("status", "Status", "In this status.", [one.value for one in Status]),
        choice("look", "Needs a look", "Whose bill needs this look.", list(LOOKS)),
        text("peer", "Peer", "That this peer may see."),
        text("contract", "Contract", "Of this contract of a driver.", 36, narrow=True),
        *period("Opened"),
    ),
    orders=(newest_by("created"), oldest_by("created")),
    columns={
        "session_id": "id",
        "status": "status",
        "charge_point": "cp_id",
        "connector_id": "connector_id",
        "opened": "created",
        "started": "started",
        "ended": "ended",
        "energy_kwh": "kwh",
        "cost_excl_vat": "cost.excl_vat",
        "cost_incl_vat": "cost.incl_vat",
        "currency": "currency",
        "token_country_code": "token.country_code",
        "token_party_id": "token.party_id",
        "token_contract_id": "token.contract_id",
        "source": "source",
        "end_reason": "end_reason",
        "no_cdr_because": "problem",
        "signature": "signature.verdict",
    },
)
