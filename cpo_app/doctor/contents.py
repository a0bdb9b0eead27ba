"""What stands in the store: can it be opened with our key, and does anything wait for a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from cpo_app.doctor.findings import Finding, fail, ok, warn
from db_interface.database import Database
from domain.peers.statuses import BLOCKED, CONNECTED, SUSPENDED
from domain.secrets import SecretUnusable, Vault

MOST = 1000
LATE = timedelta(minutes=10)
ERROR_IS_NEWS = timedelta(hours=24)
_SHOWN = {"name": 1, "status": 1, "last_error": 1}


async def check_contents(db: Database, vault: Vault, now: datetime) -> AsyncIterator[Finding]:
    yield await _sealed(db, vault)
    yield await _peers(db)
    async for finding in _peers_in_trouble(db, now):
        yield finding
    yield await _held_back(db)
    yield await _without_cdr(db)


async def _sealed(db: Database, vault: Vault) -> Finding:
    """Tokens of peers and keys of charge points, sealed by CPO_ENCRYPTION_KEY."""
    opened = 0
    for collection, name in (("peers", "their_token"), ("charge_points", "command_key")):
        found = db[collection].find({}, {name: 1}).limit(MOST)
        for row in await found.to_list(MOST):
            if not row.get(name):
                continue
            try:
                vault.open(row[name])
            except SecretUnusable:
                return fail(
                    "sealed tokens",
                    f"CPO_ENCRYPTION_KEY does not open what {collection} hold",
                    "use the key of before, or connect the peers anew: their tokens are lost",
                )
            opened += 1
    return ok("sealed tokens", f"CPO_ENCRYPTION_KEY opens all {opened}")


async def _peers(db: Database) -> Finding:
    number = await db["peers"].count_documents({"status": CONNECTED})
    said = f"{number} connected"
    for status in (SUSPENDED, BLOCKED):
        others = await db["peers"].count_documents({"status": status})
        said += f", {others} {status}" if others else ""
    return ok("peers", said)


async def _peers_in_trouble(db: Database, now: datetime) -> AsyncIterator[Finding]:
    rows = await db["peers"].find({"status": CONNECTED}, _SHOWN).limit(MOST).to_list(MOST)
    for row in rows:
        check, do = f"peer {row['_id']}", f"look at: cpo peers show {row['_id']}"
        oldest = await db["marks"].find_one(
            {"peer_id": row["_id"]}, {"since": 1}, sort=[("since", 1)]
        )
        error = row.get("last_error")
        if oldest is not None and now - oldest["since"] > LATE:
            minutes = int((now - oldest["since"]).total_seconds() // 60)
            yield warn(check, f"{_plain(row['name'])}: its push is {minutes} min behind", do)
        elif error and now - error["at"] < ERROR_IS_NEWS:
            text = _plain(error["text"])
            yield warn(check, f"{_plain(row['name'])}: {text} ({error['at']:%H:%M} UTC)", do)


async def _held_back(db: Database) -> Finding:
    number = await db["registrations"].count_documents(
        {"status": "REGISTERED", "ocpi.offered": False}
    )
    if number:
        return warn(
            "charge points",
            f"{number} registered, but not offered over OCPI",
            "the console says why, for each; their metadata has to be completed",
        )
    total = await db["registrations"].count_documents({"status": "REGISTERED"})
    return ok("charge points", f"all {total} registered are offered over OCPI")


async def _without_cdr(db: Database) -> Finding:
    number = await db["charging_sessions"].count_documents({"cdr_problem": {"$exists": True}})
    if number:
        return warn(
            "CDRs",
            f"{number} session(s) ended without a CDR",
            "the console says why, for each; most often a tariff is not usable",
        )
    return ok("CDRs", "every session that was to be billed is")


def _plain(text: str) -> str:
    """A peer's words on one line of a terminal, without its control codes."""
    return "".join(sign if sign.isprintable() else " " for sign in text)[:120]
