"""EV_Registry's records: who a charge point is, and whether it still may call itself so.

Every change rebuilds the OCPI location of its site in the same transaction. Plain credentials
never come here: callers hand in keyed hashes. The records' shape: registration_records.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from db_interface.interface import DbInterface
from db_interface.owned_objects import fold
from db_interface.transaction import Tx, mongo_session
from domain.charge_points.charge_points import registration_changed
from domain.charge_points.registration_records import (
    DEREGISTERED,
    HISTORY_LENGTH,
    REGISTERED,
    STATUSES,
    Application,
    IsDeregistered,
    NotEntitled,
    NotRegistered,
    Proof,
    Record,
    Registration,
    check,
    history_with,
    matches,
    registered,
)
from domain.charge_points.site_publishing import rebuild_site
from domain.sites import Party

__all__ = [
    "COLLECTION",
    "DEREGISTERED",
    "HISTORY_LENGTH",
    "REGISTERED",
    "STATUSES",
    "Application",
    "IsDeregistered",
    "NotEntitled",
    "NotRegistered",
    "Proof",
    "Record",
    "Registration",
    "RegistrationPage",
    "authenticate",
    "deregister",
    "get",
    "page",
    "register",
]

COLLECTION = "registrations"


@dataclass(frozen=True)
class RegistrationPage:
    records: list[Record]
    total: int


async def get(store: DbInterface, cp_id: str, tx: Tx | None = None) -> Record | None:
    """The record of a charge point, whatever its status; ids compare ignoring case."""
    return await store.db[COLLECTION].find_one(
        {"folded_id": fold(cp_id)}, session=mongo_session(tx)
    )


async def page(
    store: DbInterface, *, status: str | None = None, limit: int, offset: int = 0
) -> RegistrationPage:
    """Records in order of first registration, without their history, and how many there are."""
    match = {"status": {"$in": list(STATUSES) if status is None else [status]}}
    records = store.db[COLLECTION]
    found = records.find(match, {"history": 0}).sort("registered_seq", 1).skip(offset).limit(limit)
    return RegistrationPage(await found.to_list(limit), await records.count_documents(match))


async def register(
    store: DbInterface,
    application: Application,
    *,
    proof: Proof,
    open_to_new: bool,
    credentials_hash: str,
    party: Party,
    now: datetime,
) -> Registration:
    """Register a charge point, or register it again with new credentials.

    A new id needs the admin's proof unless `open_to_new`; a known one the admin's or its own
    present credentials; a deregistered one the admin's. Raises NotEntitled.
    """

    async def work(tx: Tx) -> Registration:
        known = await get(store, application.cp_id, tx)
        check(known, proof, open_to_new)
        record = registered(known, application, proof, credentials_hash, now)
        if known is None:
            record["registered_seq"] = await _next_seq(store, tx)
            await store.db[COLLECTION].insert_one(record, session=tx.mongo)
        else:
            changes = {name: value for name, value in record.items() if name != "_id"}
            await store.db[COLLECTION].update_one(
                {"_id": record["_id"]}, {"$set": changes}, session=tx.mongo
            )
            if known["site_id"] != record["site_id"]:
                await rebuild_site(store, known["site_id"], party, tx, now)
        await registration_changed(store, party, record["_id"], now, tx)
        await rebuild_site(store, record["site_id"], party, tx, now)
        return Registration(record, is_new=known is None)

    return await store.transact(work)


async def authenticate(
    store: DbInterface, cp_id: str, digests: tuple[str, ...], now: datetime
) -> Record:
    """The record of the charge point whose credentials these are the hashes of.

    digests: one per key in use, the present key's first; a hash under another key is renewed.
    Raises NotEntitled for a wrong secret and an unknown id alike, after the same steps, and
    IsDeregistered for the right secret of a deregistered one.
    """
    record = await get(store, cp_id)
    if not matches(record, digests) or record is None:
        raise NotEntitled
    if record["status"] != REGISTERED:
        raise IsDeregistered
    # Only if nobody rotated or deregistered it since it was read.
    unchanged = {"_id": record["_id"], "token_version": record["token_version"]}
    seen = {"last_authenticated": now, "credentials_hash": digests[0]}
    outcome = await store.db[COLLECTION].update_one(unchanged, {"$set": seen})
    if not outcome.matched_count:
        raise NotEntitled
    return {**record, **seen}


async def deregister(
    store: DbInterface, cp_id: str, *, proof: Proof, party: Party, now: datetime
) -> Record:
    """Deregister: credentials and tokens die, the EVSE becomes REMOVED, the history stays.

    Done once, it stays done: the admin may repeat it. Raises NotRegistered, or NotEntitled for
    a token that is outdated.
    """

    async def work(tx: Tx) -> Record:
        record = await get(store, cp_id, tx)
        if record is None:
            raise NotRegistered
        if not proof.admin and (
            record["status"] != REGISTERED or proof.token_version != record["token_version"]
        ):
            raise NotEntitled
        if record["status"] == DEREGISTERED:
            return record
        changes = {
            "status": DEREGISTERED,
            "token_version": record["token_version"] + 1,
            "updated_at": now,
            "history": history_with(record, "deregistered", proof, now),
        }
        await store.db[COLLECTION].update_one(
            {"_id": record["_id"]}, {"$set": changes}, session=tx.mongo
        )
        await registration_changed(store, party, record["_id"], now, tx)
        await rebuild_site(store, record["site_id"], party, tx, now)
        return {**record, **changes}

    return await store.transact(work)


async def _next_seq(store: DbInterface, tx: Tx) -> int:
    """The next place in order of creation.

    Taken inside the transaction: of two first registrations of one id at once, the second
    conflicts here, runs again and finds the first.
    """
    counter = await store.db["counts"].find_one_and_update(
        {"_id": COLLECTION},
        {"$inc": {"seq": 1}},
        upsert=True,
        return_document=True,
        session=tx.mongo,
    )
    return counter["seq"]
