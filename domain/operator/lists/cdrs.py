"""The list of CDRs, as peers get them."""

from __future__ import annotations

from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedDocument
from domain.charge_points.charge_points import canonical_id
from domain.listing.filters import between, flag, party, period, text
from domain.listing.listing import Listing, Question
from domain.operator.lists.objects import fields_of, stored
from domain.paging import Order
from domain.peers.peers import audiences_of
from domain.sites import ocpi_id

_COSTS = ("total_cost", "total_energy_cost", "total_time_cost", "total_parking_cost")

_BY_FIELD = (
    ("energy", "most energy first", "fields.total_energy"),
    ("cost", "highest cost first", "fields.total_cost.excl_vat"),
)
SORTED_BY = [field for _, _, field in _BY_FIELD]


async def question(db: Database, values: JsonObject) -> Question:
    query: JsonObject = {}
    if "charge_point" in values:
        known = await canonical_id(db, values["charge_point"]) or values["charge_point"]
        query["fields.cdr_location.evse_uid"] = ocpi_id(known)
    if "peer" in values:
        query["audience"] = {"$in": await audiences_of(db, values["peer"])}
    if "party" in values:
        query["owner"] = values["party"]
    if "session" in values:
        query["links.session"] = values["session"].lower()
    if "contract" in values:
        query["fields.cdr_token.contract_id"] = values["contract"]
    if "credit" in values:
        query["fields.credit"] = True if values["credit"] else {"$ne": True}
    made = between(values)
    return Question(query if made is None else {**query, "last_updated": made})


async def rows(db: Database, documents: list[OwnedDocument]) -> list[JsonObject]:
    return [{**row["fields"], "key": row["_id"], "made": row["last_updated"]} for row in documents]


LIST: Listing[OwnedDocument] = Listing(
    name="cdrs",
    source=stored(
        "cdrs",
        question,
        {
            "last_updated": 1,
            **fields_of(
                *("id", "country_code", "party_id", "session_id", "start_date_time"),
                *("end_date_time", "cdr_token.country_code", "cdr_token.party_id"),
                *("cdr_token.contract_id", "cdr_location.id", "cdr_location.evse_uid"),
                *("cdr_location.evse_id", "cdr_location.connector_id", "cdr_location.name"),
                *("cdr_location.city", "auth_method", "total_energy", "total_time", "currency"),
                *("total_parking_time", "credit", "credit_reference_id", "remark", *_COSTS),
            ),
        },
    ),
    rows=rows,
    filters=(
        text("charge_point", "Charge point", "Of this charge point.", narrow=True),
        text("peer", "Peer", "That this peer may see."),
        party("party", "Party of ours", "Of this party of ours"),
        text("session", "Session", "Of this session.", narrow=True),
        text("contract", "Contract", "Of this contract of a driver.", 36, narrow=True),
        flag("credit", "Credit", "Credit CDRs, or all others."),
        *period("Made"),
    ),
    orders=(
        Order("newest", "newest first", [("last_updated", -1), ("seq", -1)]),
        Order("oldest", "oldest first", [("last_updated", 1), ("seq", 1)]),
        *(Order(name, said, [(field, -1), ("seq", -1)]) for name, said, field in _BY_FIELD),
    ),
    columns={
        "country_code": "country_code",
        "party_id": "party_id",
        "id": "id",
        "session_id": "session_id",
        "start_date_time": "start_date_time",
        "end_date_time": "end_date_time",
        "token_country_code": "cdr_token.country_code",
        "token_party_id": "cdr_token.party_id",
        "token_contract_id": "cdr_token.contract_id",
        "auth_method": "auth_method",
        "location_id": "cdr_location.id",
        "location": "cdr_location.name",
        "city": "cdr_location.city",
        "evse_uid": "cdr_location.evse_uid",
        "evse_id": "cdr_location.evse_id",
        "connector_id": "cdr_location.connector_id",
        "total_energy": "total_energy",
        "total_time": "total_time",
        "total_parking_time": "total_parking_time",
        "currency": "currency",
        **{f"{cost}_{vat}": f"{cost}.{vat}" for cost in _COSTS for vat in ("excl_vat", "incl_vat")},
        "credit": "credit",
        "credit_reference_id": "credit_reference_id",
        "remark": "remark",
        "made": "made",
    },
)
