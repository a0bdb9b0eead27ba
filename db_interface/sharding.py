"""How each collection is spread over MongoDB's shards, and why: `python -m db_interface.sharding`
prints what an administrator tells mongos.

What sets a key's limits: a unique index has to begin with it; who changes one document, or makes it
where there is none, has to name it (or, for a change alone, the `_id`); a query that does not name
it asks every shard. Nearly everything here is written by `_id`, so that is the usual key, hashed:
ids that come one after the other, as an import's do, are spread all the same.

A collection that is not spread lies whole on one shard. That is right for what is few, or written
seldom; for some that are neither it is said what would have to change first.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

HASHED, RANGED = "hashed", 1


@dataclass(frozen=True)
class Spread:
    """By the values of these fields."""

    why: str
    fields: tuple[str, ...] = ("_id",)
    by: str | int = HASHED

    @property
    def key(self) -> dict[str, str | int]:
        return dict.fromkeys(self.fields, self.by)


@dataclass(frozen=True)
class Whole:
    """On one shard."""

    why: str


_OBJECT = "peers pull it and it is written by `_id`; a list asks all shards for its next rows"
_OF_A_CHARGE_POINT = "one for each charge point, written by its id as it goes on"
_OF_A_STATION = "one for each station, written by its id"
_PEOPLE = Whole("as many as people and scripts use the platform")
_PEERS = Whole("a few for each peer")
_PROCESSES = Whole("a few for each process or background work, which all others look at")
_SELDOM = Whole("one for each station or charge point at most, and written seldom")
_SOON_GONE = Whole("gone within minutes or days, and few")

SHARDING: dict[str, Spread | Whole] = {
    "locations": Spread(_OBJECT),
    "sessions": Spread(_OBJECT),
    "cdrs": Spread(_OBJECT),
    "tokens": Spread(_OBJECT),
    "tariffs": Whole("thousands at most, of which most sessions need one"),
    "hubclientinfo": _PEERS,
    "marks": Spread("one for each change and peer that sees it: what is written most"),
    "event_marks": Spread("one for each change, while other systems listen"),
    "event_streams": _PROCESSES,
    "deliveries": Spread("one for each CDR and peer, for ever"),
    "charge_points": Spread(_OF_A_CHARGE_POINT),
    "signs_of_life": Spread(_OF_A_CHARGE_POINT),
    "sites": Spread("one for each place, written with each change of a status there"),
    "command_lanes": Spread(_OF_A_CHARGE_POINT),
    "meter_keys": Spread("one for each connector, looked up by its id"),
    "charging_sessions": Spread(
        "one session runs at a connector: the index that holds that begins with the charge point",
        ("cp_id",),
        RANGED,
    ),
    "evse_status_history": Spread(
        "read for one charge point from a moment on", ("cp_id", "at"), RANGED
    ),
    "ocpp_messages": Spread("read for one station from a moment on", ("station", "at"), RANGED),
    "ocpp_transactions": Spread(
        "unique for each station, by whose id they are looked up", ("station",), RANGED
    ),
    "ocpp_connections": Spread(_OF_A_STATION),
    "ocpp_configurations": Spread(_OF_A_STATION),
    "ocpp_local_lists": Spread(_OF_A_STATION),
    "registrations": Whole(
        "unique by its folded id and written by the given one; a kilobyte or two for each charge "
        "point, written when it registers or gets a token"
    ),
    "ocpp_stations": Whole("unique by its folded id and written by the given one, when it boots"),
    "commands": Whole(
        "unique by the request that asked for it, so that a request that comes twice is one "
        "command: before it is spread, its `_id` has to be made of that; kept for 30 days"
    ),
    "reservations": Whole("few at a time, kept for 90 days"),
    "audit": Whole("one chain, in the order of its places"),
    "audit_chain": Whole("one document"),
    "exchanges": Whole("their number is bounded by CPO_EXCHANGES_MAX"),
    "exchange_losses": _SOON_GONE,
    "counts": Whole("some for each party and audience, read with each page"),
    "stretches": Whole("one for some thousand objects of a list"),
    "writers": _PROCESSES,
    "writer_slots": _PROCESSES,
    "running_servers": _PROCESSES,
    "view_fills": _PROCESSES,
    "tariff_turns": _PROCESSES,
    "platform": Whole("a handful of facts"),
    "schema": Whole("one document"),
    "migrations": Whole("a handful"),
    "backups": Whole("one document"),
    "key_rotations": Whole("one for each key"),
    "enrolments": _SOON_GONE,
    "dead_letters": Whole("some for each charge point in trouble"),
    "telemetry_tries": _SOON_GONE,
    "unaccounted_energy": _SOON_GONE,
    "payments": Whole("a terminal, or a payment: thousands"),
    "ocpp_authorizations": _SOON_GONE,
    "token_pulls": _PEERS,
    "peers": _PEERS,
    "party_claims": _PEERS,
    "unknown_cards": _SOON_GONE,
    "hub_clients": Whole("one for each party behind a hub"),
    "hub_client_pulls": _PEERS,
    "push_lanes": _PEERS,
    "register_findings": Whole("what does not add up, until it is dealt with"),
    "reconciliation_jobs": _PROCESSES,
    "cdr_reconciliations": _PEERS,
    "operators": _PEOPLE,
    "logins": _PEOPLE,
    "login_links": _PEOPLE,
    "login_delays": _PEOPLE,
    "api_keys": _PEOPLE,
    "audit_refusals": _SOON_GONE,
    "matters": Whole("what is in trouble"),
    "notice_deliveries": _SOON_GONE,
    "notice_lanes": _PEOPLE,
    "seen_certificates": _SELDOM,
    "fleet_samples": Whole("one for each five minutes of the last 100 days"),
    "day_totals": Whole("one for each day"),
    "completeness": Whole("one document"),
    "failure_counters": _SOON_GONE,
    "ocpp_gateways": _PROCESSES,
    "ocpp_templates": _PEOPLE,
    "ocpp_transfers": _SELDOM,
    "ocpp_files": _SOON_GONE,
    "ocpp_file_parts": _SOON_GONE,
    "ocpp_certificates": _SELDOM,
    "ocpp_questions": _SOON_GONE,
}


def commands(database: str) -> list[str]:
    """For mongosh, at a mongos."""
    said = [f'sh.enableSharding("{database}")']
    for name, spread in SHARDING.items():
        if isinstance(spread, Spread):
            key = ", ".join(f'"{field}": {_way(by)}' for field, by in spread.key.items())
            said.append(f'sh.shardCollection("{database}.{name}", {{{key}}})')
    return said


def _way(by: str | int) -> str:
    return f'"{by}"' if isinstance(by, str) else str(by)


if __name__ == "__main__":
    sys.stdout.write("\n".join(commands(sys.argv[1] if len(sys.argv) > 1 else "cpo")) + "\n")
