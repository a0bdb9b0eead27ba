"""Which queries may look at more than an index brings them, and which ask every shard; and why.

Whatever else does so fails the test that issued it.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.queries.plans import SORT
from tests.queries.spreading import NOTHING

BY_HAND: Mapping[str, str] = {
    "db_interface/snapshot.py": "a backup reads all there is",
    "domain/audit/verification.py": "the whole chain is followed",
    "domain/erasure.py": "somebody's card is looked for everywhere, once in his life",
    "domain/events/resync.py": "the past is told once more, because somebody asks for it",
    "domain/key_rotation.py": "all that is sealed under an old key is sealed anew",
    "domain/peers/requirements.py": "which fields each location has, once",
    "domain/retention/cards.py": "all that is older than its time, at night",
    "domain/upgrades/": "once, between two versions",
}
"""Files whose queries nobody waits for: an operator asks for them, or the night does."""

FEW: Mapping[str, str] = {
    "api_keys": "as many as there are scripts",
    "ocpp_gateways": "as many as there are processes",
    "ocpp_templates": "as many as there are makes of boxes",
    "hub_client_pulls": "as many as there are hubs",
    "operators": "as many as there are people",
    "tariff_turns": "as many as there are versions of OCPI in use",
    "token_pulls": "as many as there are peers",
    "view_fills": "as many as there are versions of OCPI in use",
}
"""Collections that may be read whole."""

ALLOWED: Mapping[str, tuple[str, str]] = {
    "db_interface/pages.py": (
        SORT,
        "of a window of dates the keys of the index alone are sorted, and a page is kept of them",
    ),
}
"""Files, with a fault that their queries may have."""

WHOLE: Mapping[str, str] = {
    **dict.fromkeys(
        (f"find {module} {{}} sort seq" for module in ("locations", "sessions", "tariffs")),
        "an export: all there is, bit by bit",
    ),
    "find cdrs {} sort last_updated, seq": "an export: all there is, bit by bit",
    "find peers {} sort created": "the list of all peers",
    "find peers {$or({settings.groups.0 $exists} | {settings.requires.0 $exists})} sort _id": (
        "few peers narrow what they want, and one location's page asks"
    ),
    "find peers {$or({audiences} | {client_audiences})} sort name limit": (
        "those of one audience: a peer, and its hub"
    ),
    "find charging_sessions {created $gte $lt} sort cp_id, connector_id, created": (
        "a night's sessions, connector by connector, on the disk where memory is short"
    ),
    "find cdrs {fields.credit $ne} sort -last_updated, -seq limit": "nearly all are no credits",
    "find tokens {fields.type, lid} sort seq limit": "cards of one number: of each eMSP one",
    **dict.fromkeys(
        (
            "find locations {fields.city $gte $lt} sort -seq limit as people compare",
            "find locations {fields.name $gte $lt} sort -seq limit as people compare",
            "find locations {lid $regex} sort -seq limit",
            "find registrations {folded_id $regex} sort _id limit",
            "find registrations {folded_id $regex} sort -_id limit",
            "find registrations {location $gte $lt} sort _id limit as people compare",
        ),
        "those that begin as somebody has typed, in another order that he has chosen",
    ),
}
"""Single queries, as a failure names them."""

_LISTED = {
    NOTHING: "all there is, in the order of an index",
    "seq": "the operator's lists, in the order of creation",
    "last_updated": "the operator's lists, and what is older than its time",
    "_id": "all there is, in the order of ids; or one by its id, of which all but one shard know "
    "at once that they have it not",
    "lid": "one object by its id, whosever it is",
    "owner": "the operator's lists: of one party",
}
_PULLED = {
    **_LISTED,
    "audience": "a page of a list: each shard brings its next rows, and mongos puts them in order",
    "unsaid": "whether there is any, once a minute",
}
_OF_TROUBLE = "the few that need a look, by an index of those alone"
ALL_SHARDS: Mapping[str, Mapping[str, str]] = {
    "locations": {
        **_PULLED,
        "links.evse": "where an EVSE is, of which its uid alone is known",
        "links.evse_id": "somebody looks for an EVSE",
        "links.has": "what was kept before its fields were noted",
        "groups": "the operator's groups",
        **dict.fromkeys(("fields.city", "fields.name", "fields.address"), "somebody looks for it"),
        "tariffs_assigned": "where the operator's word on tariffs stands",
        "fields.evses.connectors.tariff_ids": "where a tariff is used",
    },
    "sessions": _PULLED,
    "cdrs": {
        **_PULLED,
        "links.session": "the bills of a session",
        "links.credits": "the credit of a bill",
        **dict.fromkeys(
            ("fields.cdr_location.evse_uid", "fields.cdr_token.contract_id", "fields.credit"),
            "the operator's list",
        ),
    },
    "tokens": {
        **_PULLED,
        "fields.contract_id": "the operator's list",
        "fields.valid": "the operator's list; what may go",
        "links.group": "cards of one group",
    },
    "marks": {
        NOTHING: "which peers have any, once at a start",
        "peer_id": "what a peer has yet to see, and since when: one lane asks for it",
    },
    "event_marks": {
        NOTHING: "how many there are, and the oldest",
        "due": "what the one who sends has yet to tell",
        "changed": "what is given up",
        "attempts": "what does not get through",
    },
    "deliveries": {"peer_id": "what a peer has been given; an operator asks"},
    "charge_points": {
        NOTHING: "the doctor and whoever changes keys open all that is sealed",
        "_id": "all of them, in the order of ids",
        "ocpi_status": "how many there are in a status, and which",
        "heartbeat_due": "who is silent, once a second",
        "location_id": "what stands at a place",
        "command_key": "all that is sealed under an old key",
    },
    "meter_keys": {"_id": "those of one charge point, whose ids begin alike"},
    "charging_sessions": {
        **_LISTED,
        "created": "the operator's lists; a night's sessions",
        "status": "the operator's list",
        "audience": "the operator's list",
        "token.contract_id": "the operator's list",
        "reservation_id": "the session of a reservation",
        "tariffs.id": "where a tariff is used",
        "running": "those that run, of which something is due",
        "to_stop": "those that are to be stopped",
        "plan.look_at": "those whose plan is due",
        "limit_due": "those whose charge point is to be told more of its limits",
        "segments": "what is older than its time",
        **dict.fromkeys(
            ("held.since", "cdr_problem", "unbilled.at", "suspect.since", "estimated"),
            _OF_TROUBLE,
        ),
        "signature.verdict": _OF_TROUBLE,
    },
    "evse_status_history": {
        NOTHING: "the newest events of all charge points",
        "at": "what is older than its time",
        "_id": "what is older goes",
    },
    "ocpp_transactions": {
        "_id": "one that is known already goes on, and its station's shard alone has it",
        "cp_id": "what runs at a charge point",
        "session_id": "what a station calls a session",
    },
    "ocpp_connections": {
        "holder": "the connections of one process",
        "since": "who has come since keys were changed",
    },
    "sites": {},
}
"""By collection: a field that a query goes by, and why it may ask every shard."""
