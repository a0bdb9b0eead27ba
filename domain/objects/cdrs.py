"""A CDR as the store keeps it: stored once, never changed, found by its session."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedObject, party_key
from db_interface.transaction import Tx
from domain.log_events import event
from domain.objects import OcpiObject
from domain.outbox.publishing import publish
from domain.peers import claims
from domain.platform_facts import restored_at
from domain.pricing import Priced, price_cdr
from domain.rendered import Rendered
from domain.schemas import parse_datetime
from domain.visibility import audience_of_token_holder

logger = logging.getLogger("cpo.sessions")

MODULE = "cdrs"
_IN_ORDER = [("last_updated", 1), ("seq", 1)]


class CdrExists(ValueError):
    """There is a CDR of that id already: it "cannot be changed or replaced" (mod_cdrs)."""


class UnknownCdr(ValueError):
    """There is no CDR of that id."""

    def __init__(self, cdr_id: str) -> None:
        super().__init__(f"there is no CDR {cdr_id}")


async def add_cdr(store: DbInterface, cdr: OcpiObject, tx: Tx) -> None:
    """Keep a valid CDR for good; call inside a transaction. Raises CdrExists."""
    obj = replace(owned_cdr(cdr), audience=await _audience(store, cdr, tx))
    if await store.objects(MODULE).document(obj.key, tx) is not None:
        raise CdrExists(f"CDR {cdr['id']} is there already")
    await publish(store, MODULE, obj, tx, posted=await _posted_before(cdr, tx))
    kind, session_id = "credit CDR" if cdr.get("credit") else "CDR", cdr.get("session_id")
    cost, kwh = cdr["total_cost"]["excl_vat"], cdr["total_energy"]
    tx.say(
        event(
            logger,
            "cdr.made",
            cdr_id=cdr["id"],
            session_id=session_id,
            kwh=kwh,
            cost=cost,
            currency=cdr["currency"],
            credits=cdr.get("credit_reference_id"),
        ),
        "%s %s is made: session %s, %.3f kWh, %.2f %s excl. VAT",
        kind,
        cdr["id"],
        session_id,
        kwh,
        cost,
        cdr["currency"],
    )


async def _posted_before(cdr: OcpiObject, tx: Tx) -> datetime | None:
    """Until when this session's CDR may have been made and sent before: after the backup that the
    store was restored from. It would bear this very id. None: it cannot."""
    restored = await restored_at(tx)
    began = parse_datetime(cdr["start_date_time"])
    return restored if restored is not None and began < restored else None


async def _audience(store: DbInterface, cdr: OcpiObject, tx: Tx) -> str:
    """Who may see its session sees it; without one, who holds the token's party now."""
    query = {
        "lid": str(cdr.get("session_id")).lower(),
        "owner": party_key(cdr["country_code"], cdr["party_id"]),
    }
    for session in await store.objects("sessions").documents(query, tx, fields={"audience": 1}):
        return session["audience"]
    return await claims.current(tx, audience_of_token_holder(cdr["cdr_token"]))


def owned_cdr(cdr: OcpiObject) -> OwnedObject:
    """A valid CDR as the store keeps it, to be found by its session and by what it credits."""
    return OwnedObject(
        country_code=cdr["country_code"],
        party_id=cdr["party_id"],
        key_parts=(cdr["id"],),
        fields=cdr,
        last_updated=parse_datetime(cdr["last_updated"]),
        audience=audience_of_token_holder(cdr["cdr_token"]),
        links={
            "session": [cdr["session_id"]] if "session_id" in cdr else [],
            "credits": [cdr["credit_reference_id"]] if cdr.get("credit") else [],
        },
    )


async def find_cdr(
    store: DbInterface, cdr_id: str, party: tuple[str, str] | None = None, tx: Tx | None = None
) -> JsonObject:
    """The CDR with that id, whatever its case. Raises UnknownCdr.

    `party` (country_code, party_id) where several parties of ours have one of that id.
    """
    query: JsonObject = {"lid": cdr_id.lower()}
    if party is not None:
        query["owner"] = party_key(*party)
    found = await store.objects(MODULE).documents(query, tx=tx)
    if not found:
        raise UnknownCdr(cdr_id)
    if len(found) > 1:
        raise UnknownCdr(f"{cdr_id} of one party: several have it, name one with --party")
    return Rendered(found[0]["raw"]).plain()


async def cdrs_of_session(tx: Tx, session_id: str) -> list[JsonObject]:
    """All CDRs of a session, credit CDRs among them, in order of creation."""
    rows = await tx.store.objects(MODULE).documents({"links.session": session_id.lower()}, tx=tx)
    return [Rendered(row["raw"]).plain() for row in sorted(rows, key=lambda row: row["seq"])]


async def all_cdrs(
    store: DbInterface,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    session_id: str | None = None,
) -> AsyncIterator[JsonObject]:
    """CDRs in order of creation, `since` <= last_updated < `until`."""
    match: JsonObject = {}
    if since is not None or until is not None:
        bounds = {"$gte": since, "$lt": until}
        match["last_updated"] = {name: at for name, at in bounds.items() if at is not None}
    if session_id is not None:
        match["links.session"] = session_id.lower()
    objects = store.objects(MODULE).of(store.db)
    async for document in objects.stream(match, {"raw": 1}, sort=_IN_ORDER):
        yield Rendered(document["raw"]).plain()


def reprice(cdr: OcpiObject, time_zone: str) -> Priced | None:
    """The CDR's price, recalculated from its own periods and tariffs; None without a tariff."""
    return price_cdr(cdr, None, time_zone) if cdr.get("tariffs") else None
