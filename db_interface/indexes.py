"""Every index of every collection, in one table; made at start.

A query that runs per request must find its index here: a test explains them all.
"""

from __future__ import annotations

from contextlib import suppress

import pymongo
from pymongo import ASCENDING, IndexModel
from pymongo.collation import Collation
from pymongo.errors import CollectionInvalid, OperationFailure

from db_interface.database import Database

BY_NAME = Collation("en", strength=1)
ANY_CASE = Collation("en", strength=2)
"""Text compared as people do: case and accents do not matter."""

BUILT_WITHIN_S = 3600.0

BY_CREATION, BY_DATE = "audience_1_seq_1_last_updated_1", "audience_1_last_updated_1_seq_1"
"""As MongoDB names them by itself: pages ask for them by name."""

OWNED_MODULES = ("locations", "sessions", "cdrs", "tariffs", "tokens", "hubclientinfo")


def _owned() -> list[IndexModel]:
    return [
        _index("lid", "owner"),
        _index("audience", "seq", "last_updated", name=BY_CREATION),
        _index("audience", "last_updated", "seq", name=BY_DATE),
        _index("owner", "seq"),
        _index("seq"),
        _index("unsaid", sparse=True),
    ]


def _index(*fields: str, **options: object) -> IndexModel:
    return IndexModel([(name, ASCENDING) for name in fields], **options)


def _look(name: str, path: str, *, is_true: bool = False) -> list[IndexModel]:
    """Sessions that have it (few): how many, since when; and in the order of their creation."""
    having = {path: True} if is_true else {path: {"$exists": True}}
    return [
        _index(path, partialFilterExpression=having),
        _index("created", "_id", name=name, partialFilterExpression=having),
    ]


INDEXES: dict[str, list[IndexModel]] = {
    **{module: _owned() for module in OWNED_MODULES},
    "counts": [_index("module", "audience", "owner")],
    "stretches": [_index("module", "audience", "owner", "begin", "n"), _index("module", "begin")],
    "writers": [_index("floor", sparse=True), _index("beat", sparse=True)],
    "writer_slots": [_index("writer")],
    "registrations": [
        _index("site_id"),
        _index("status", "registered_seq"),
        _index("status", "_id"),
        _index("folded_id", unique=True),
        _index("asked_with.key_hash", sparse=True),
        _index("station", sparse=True),
        _index("status", "ocpi.offered", "updated_at"),
        _index("status", "ocpi.offered", "_id"),
        _index("location", "_id", collation=BY_NAME),
    ],
    "charge_points": [
        _index("heartbeat_due"),
        _index("location_id"),
        _index("ocpi_status", "status_updated"),
        _index("ocpi_status", "_id"),
        _index("ocpi_status", partialFilterExpression={"reservation_id": {"$type": "string"}}),
    ],
    "enrolments": [
        _index("token_hash", unique=True),
        _index("expires_at", expireAfterSeconds=0),
    ],
    "ocpp_transactions": [
        # Two at once are one, and whoever comes second finds it.
        _index("station", "transaction_id", "number", unique=True),
        _index(
            "station",
            "start_key",
            "start_number",
            unique=True,
            partialFilterExpression={"start_key": {"$exists": True}},
        ),
        _index("station", "created"),
        _index("cp_id", "ended", "superseded", "created"),
        _index("session_id", "created"),
        _index("forget", expireAfterSeconds=0),
    ],
    "ocpp_authorizations": [_index("until", expireAfterSeconds=0)],
    "unaccounted_energy": [_index("last", expireAfterSeconds=24 * 3600)],
    "dead_letters": [
        _index("cp_id", "refused", "at"),
        _index("refused", "at"),
        # What failed may be money, and stays.
        _index("at", expireAfterSeconds=30 * 24 * 3600, partialFilterExpression={"refused": True}),
    ],
    "telemetry_tries": [_index("at", expireAfterSeconds=24 * 3600)],
    "evse_status_history": [_index("cp_id", "at", "n"), _index("at")],
    "peers": [
        _index("token_hashes.hash", unique=True, sparse=True),
        _index("parties", "status", "created"),
        _index("audiences", "status"),
        _index("client_audiences", "status"),
        _index("status", "_id"),
        _index("status", "updated"),
        _index("status", "created"),
        _index("status", "name"),
        _index("name"),
        _index("name", collation=BY_NAME, name="as_people_name_it"),
        _index("call.until", sparse=True),
        _index("moved_from", sparse=True),
        _index("version", "status"),
        _index("endpoints.identifier", "status"),
        _index("roles.role", "status", "created"),
        _index("created", "_id"),
    ],
    "payments": [_index("peer_id", "kind", "_id"), _index("kind", "_id")],
    "party_claims": [_index("peer_id", "_id")],
    "unknown_cards": [_index("until", expireAfterSeconds=60)],
    "hub_clients": [_index("peer_id", "status"), _index("peer_id", "_id"), _index("party")],
    "hub_client_pulls": [_index("due")],
    "push_lanes": [_index("settles_at", sparse=True)],
    "marks": [_index("peer_id", "due"), _index("peer_id", "since")],
    "event_marks": [
        _index("due"),
        _index("since"),
        _index("attempts", partialFilterExpression={"attempts": {"$gt": 0}}),
    ],
    "deliveries": [_index("peer_id", "at")],
    "commands": [
        _index("state", "due"),
        _index("state", "deadline"),
        _index("cp_id", "state", "seq"),
        _index("session_id", "created", "_id"),
        # The same request again finds its command, also when two come at once.
        _index(
            "idempotency_key",
            unique=True,
            partialFilterExpression={"idempotency_key": {"$exists": True}},
        ),
        _index("created", "_id"),
        _index("cp_id", "created", "_id"),
        _index("state", "created", "_id"),
        _index("finished_at", expireAfterSeconds=30 * 24 * 3600),
        _index("state", "finished_at"),
    ],
    "reservations": [
        _index("created", "_id"),
        _index("cp_id", "created", "_id"),
        _index("cp_id", "active", "expiry_date"),
        _index("active", "created", "_id"),
        _index("active", "expiry_date"),
    ],
    "charging_sessions": [
        # Exactly one running session per connector, also when two starts race.
        _index("cp_id", "connector_id", unique=True, partialFilterExpression={"running": True}),
        _index("last_heard", partialFilterExpression={"running": True}),
        _index("reservation_id", "status"),
        _index("cp_id", "connector_id", "created"),
        _index("to_stop", partialFilterExpression={"to_stop": True}),
        _index("plan.look_at", partialFilterExpression={"plan.look_at": {"$exists": True}}),
        _index("limit_due", partialFilterExpression={"limit_due": {"$exists": True}}),
        *_look("held", "held.since"),
        *_look("unbilled", "unbilled.at"),
        *_look("suspect", "suspect.since"),
        *_look("without_cdr", "cdr_problem"),
        *_look("estimated", "estimated", is_true=True),
        _index("tariffs.id", partialFilterExpression={"running": True}),
        _index("created", "_id"),
        _index("cp_id", "created", "_id"),
        _index("status", "created", "_id"),
        _index("audience", "created", "_id"),
        _index("token.contract_id", "created", "_id"),
        # Those whose details are kept yet.
        _index("ended", partialFilterExpression={"segments": {"$exists": True}}),
        _index(
            "signature.verdict",
            "created",
            "_id",
            partialFilterExpression={"signature.verdict": {"$exists": True}},
        ),
    ],
    "running_servers": [_index("expires", expireAfterSeconds=0)],
    "ocpp_stations": [
        _index("folded_id", unique=True),
        _index("evses.cp_id"),
        _index("held_until", expireAfterSeconds=0),
        _index("status", "folded_id"),
    ],
    "ocpp_connections": [_index("holder")],
    "ocpp_gateways": [_index("until")],
    "ocpp_transfers": [
        _index("station", "asked"),
        _index("token_hash", sparse=True),
        _index("file", sparse=True),
        _index("expires", expireAfterSeconds=0),
    ],
    "ocpp_files": [_index("expires", expireAfterSeconds=0)],
    "ocpp_file_parts": [_index("file"), _index("expires", expireAfterSeconds=0)],
    "ocpp_templates": [_index("updated")],
    "ocpp_messages": [
        _index("station", "at", "n"),
        _index("station", "action", "at", "n"),
        _index("expires", expireAfterSeconds=0),
    ],
    "ocpp_questions": [
        _index("state", "deadline"),
        _index("expires", expireAfterSeconds=0),
    ],
    "logins": [_index("operator_id"), _index("until", expireAfterSeconds=0)],
    "login_links": [_index("until", expireAfterSeconds=0)],
    "login_delays": [_index("last", expireAfterSeconds=3600)],
    "api_keys": [_index("name", unique=True)],
    "audit_refusals": [_index("until")],
    "audit": [
        _index("at", "_id"),
        _index("ids", "at", "_id"),
        _index("who.name", "at", "_id"),
        _index("action", "at", "_id"),
        _index("seq", unique=True, partialFilterExpression={"seq": {"$exists": True}}),
        _index("unsealed", "at", "_id", partialFilterExpression={"unsealed": True}),
    ],
    "exchanges": [_index("keys", "_id")],
    "exchange_losses": [_index("at", expireAfterSeconds=30 * 24 * 3600)],
    "matters": [
        _index("open", "opened"),
        _index("open", "over"),
        _index("over", expireAfterSeconds=30 * 24 * 3600),
    ],
    "notice_deliveries": [
        # What waits has no other end than to be told or given up.
        _index("target", "at", "rank", partialFilterExpression={"waiting": True}),
        _index("told", expireAfterSeconds=30 * 24 * 3600),
        _index("at", expireAfterSeconds=90 * 24 * 3600),
    ],
    "ocpp_certificates": [
        _index("station", "issued"),
        _index("station", "state"),
        _index("forget", expireAfterSeconds=0),
    ],
    "seen_certificates": [
        _index("ends"),
        # Nobody has shown it for long: it is used no more.
        _index("seen", expireAfterSeconds=400 * 24 * 3600),
    ],
    "fleet_samples": [_index("at", expireAfterSeconds=100 * 24 * 3600)],
    "failure_counters": [_index("until", expireAfterSeconds=600)],
    "token_pulls": [_index("due")],
    "register_findings": [_index("energy_wh"), _index("kind", "energy_wh"), _index("at")],
}
INDEXES["sessions"] = [*INDEXES["sessions"], _index("links.evse"), _index("links.status")]
INDEXES["locations"] = [*INDEXES["locations"], _index("links.evse", "_id"), _index("links.evse_id")]
INDEXES["locations"].append(_index("links.has", "seq"))
INDEXES["locations"].append(
    _index("groups", "audience", "seq", partialFilterExpression={"groups": {"$exists": True}})
)
INDEXES["locations"].append(
    _index("groups", "seq", partialFilterExpression={"groups": {"$exists": True}})
)
_ASSIGNED = {"tariffs_assigned": {"$exists": True}}
INDEXES["locations"] += [
    _index("tariffs_assigned.words.tariff_ids", "seq", partialFilterExpression=_ASSIGNED),
    _index("seq", name="tariffs_assigned", partialFilterExpression=_ASSIGNED),
]
INDEXES["locations"].append(
    # Those that no peer may see.
    _index("lid", "owner", name="held_by_id", partialFilterExpression={"audience": ""})
)
INDEXES["locations"] += [
    _index("fields.city", "seq", collation=BY_NAME),
    _index("fields.name", "seq", collation=BY_NAME),
    _index("fields.address", collation=BY_NAME),
    # The newest of a common name: found by passing others, not by sorting all of them.
    _index("seq", collation=BY_NAME, name="seq_by_name"),
]
INDEXES["locations"].append(
    _index(
        "fields.evses.connectors.tariff_ids",
        collation=ANY_CASE,
        partialFilterExpression={"fields.evses.connectors.tariff_ids": {"$exists": True}},
    )
)
INDEXES["tariffs"] = [
    *INDEXES["tariffs"],
    _index("fields.start_date_time", sparse=True),
    _index("fields.end_date_time", sparse=True),
]
INDEXES["tokens"] = [
    *INDEXES["tokens"],
    _index("links.group"),
    _index("fields.contract_id", "seq"),
    _index("fields.valid", "seq"),
    _index("fields.visual_number", sparse=True),
    # Those that their eMSP has ended.
    _index("last_updated", partialFilterExpression={"fields.valid": False}),
]
INDEXES["cdrs"] = [
    *INDEXES["cdrs"],
    _index("links.credits"),
    # A CDR never changes: the latest update is its creation.
    *(
        _index(*which, "last_updated", "seq")
        for which in (
            (),
            ("owner",),
            ("links.session",),
            ("fields.cdr_location.evse_uid",),
            ("fields.cdr_token.contract_id",),
        )
    ),
    _index("fields.credit", "last_updated", "seq", partialFilterExpression={"fields.credit": True}),
    _index("fields.total_energy", "seq"),
    _index("fields.total_cost.excl_vat", "seq"),
]

MADE_BEFOREHAND = ("event_streams", "sites", "command_lanes", "signs_of_life", "audit_chain")
"""Collections without an index of their own that many transactions write at once."""


async def ensure_indexes(db: Database) -> None:
    """Create what is missing; safe to run from every process at every start."""
    # On a large collection the first time takes long; nobody waits for an answer here.
    with pymongo.timeout(BUILT_WITHIN_S):
        for collection, models in INDEXES.items():
            await db[collection].create_indexes(models)
        if db.transactions:
            await _make_beforehand(db)


async def _make_beforehand(db: Database) -> None:
    """Transactions that all find a collection missing make it at once: one of them commits, and
    all others run again."""
    there = await db.client[db.name].list_collection_names()
    for name in MADE_BEFOREHAND:
        if name not in there:
            with suppress(CollectionInvalid, OperationFailure):  # another process was faster
                await db.client[db.name].create_collection(name)


async def missing_indexes(db: Database) -> list[str]:
    """`collection.index` of those that the table names and the store does not have."""
    missing = []
    for collection, models in INDEXES.items():
        there = await db[collection].index_information()
        names = [model.document["name"] for model in models]
        missing += [f"{collection}.{name}" for name in names if name not in there]
    return missing
