"""EV_Registry's records: who a charge point is, and whether it still may call itself so.

Every change rebuilds the OCPI location of its site in the same transaction. Plain credentials
never come here: callers hand in keyed hashes. The records' shape: registration_records.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from db_interface.collection import Where
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.charge_points import charge_point_documents, enrolments
from domain.charge_points.charge_points import registration_changed
from domain.charge_points.registration_records import (
    DEREGISTERED,
    HISTORY_LENGTH,
    REGISTERED,
    STATUSES,
    Application,
    IsDeregistered,
    NotBound,
    NotEntitled,
    NotRegistered,
    PartyIsFixed,
    Proof,
    Record,
    Registration,
    WrongCertificate,
    check,
    check_certificate,
    check_party,
    history_with,
    matches,
    registered,
    repeats,
)
from domain.charge_points.registration_store import REGISTRATIONS, get, of_site, of_station
from domain.charge_points.site_publishing import rebuild_site
from domain.ocpp import connections
from domain.operators.actor import Actor, ActorKind, acting_as
from domain.places import geonames
from domain.sites import Party

__all__ = [
    "DEREGISTERED",
    "HISTORY_LENGTH",
    "REGISTERED",
    "STATUSES",
    "Application",
    "IsDeregistered",
    "NotBound",
    "NotEntitled",
    "NotRegistered",
    "PartyIsFixed",
    "Proof",
    "Record",
    "Registration",
    "RegistrationPage",
    "WrongCertificate",
    "authenticate",
    "deregister",
    "get",
    "may_repeat",
    "page",
    "register",
    "register_in",
]


@dataclass(frozen=True)
class RegistrationPage:
    records: list[Record]
    total: int


async def may_repeat(where: Where, key_hashes: tuple[str, ...]) -> bool:
    """Whether some charge point asked for its credentials with that key: asked before a body is
    read."""
    wanted = {"asked_with.key_hash": {"$in": list(key_hashes)}}
    return await REGISTRATIONS.of(where).find_one(wanted, {"_id": 1}) is not None


async def page(
    where: Where, *, status: str | None = None, limit: int, offset: int = 0
) -> RegistrationPage:
    """Records in order of first registration, without their history, and how many there are."""
    match = {"status": {"$in": list(STATUSES) if status is None else [status]}}
    records = REGISTRATIONS.of(where)
    found = await records.find(
        match, {"history": 0}, sort=[("registered_seq", 1)], skip=offset, limit=limit
    )
    return RegistrationPage(found, await records.count(match))


async def register(
    store: DbInterface,
    application: Application,
    *,
    proof: Proof,
    open_to_new: bool,
    credentials_hash: str,
    party: Party,
) -> Registration:
    """Register a charge point, or register it again with new credentials.

    A new id needs the admin's proof unless `open_to_new`; a known one the admin's or its own
    present credentials; a deregistered one the admin's. The enrolment token that the operator
    made for the id does for all three, and is used up. Who repeats a request with the key that it
    came with is answered again, with new credentials, while nothing has used the first (`repeats`).
    `party`: ours whose the charge points
    are that name none. Raises NotEntitled, WrongCertificate, PartyIsFixed.
    """

    async def work(tx: Tx) -> Registration:
        return await register_in(
            tx,
            application,
            proof=proof,
            open_to_new=open_to_new,
            credentials_hash=credentials_hash,
            party=party,
        )

    await geonames.loaded()
    return await store.transact_jointly(work, application.cp_id.lower())


async def register_in(
    tx: Tx,
    application: Application,
    *,
    proof: Proof,
    open_to_new: bool,
    credentials_hash: str,
    party: Party,
) -> Registration:
    """`register` inside a transaction of the caller's."""
    known = await get(tx, application.cp_id)
    enrolled = proof.enrolment is not None and await enrolments.use(
        tx, application.cp_id, proof.enrolment
    )
    shown = application.certificate_fingerprint
    repeated = None
    if known is not None and proof.key:
        there = await charge_point_documents.get(tx, known["_id"])
        arrived = None if there is None else there.get("registered_at")
        repeated = repeats(known, proof, tx.now, arrived)
    check(known, proof, open_to_new, enrolled=enrolled, repeated=repeated is not None, shown=shown)
    check_party(known, application.party, proof.admin or enrolled)
    record = registered(known, application, proof, credentials_hash, tx.now, repeated)
    record.update(await _place_at_site(tx, known, record, proof))
    if known is None:
        (record["registered_seq"],) = tx.in_flight.places(1)
        await REGISTRATIONS.of(tx).insert_one(record)
    else:
        changes = {name: value for name, value in record.items() if name != "_id"}
        await REGISTRATIONS.of(tx).update_one({"_id": record["_id"]}, {"$set": changes})
        if known["site_id"] != record["site_id"]:
            await rebuild_site(tx, known["site_id"], party)
    await registration_changed(tx, record)
    await rebuild_site(tx, record["site_id"], party)
    return Registration(record, is_new=known is None)


async def _place_at_site(tx: Tx, known: Record | None, record: Record, proof: Proof) -> Record:
    """Whether it stands at its own site, is a guest at another's, or waits to be let in."""
    if known is not None and known["site_id"] == record["site_id"]:
        waits = bool(known.get("site_waiting")) and not proof.admin
        return {"site_waiting": waits, "site_guest": bool(known.get("site_guest"))}
    others = await of_site(tx, record["site_id"], ("_id",))
    guest = any(other["_id"] != record["_id"] for other in others)
    return {"site_waiting": guest and not proof.admin, "site_guest": guest}


async def authenticate(
    db: Database,
    cp_id: str,
    digests: tuple[str, ...],
    *,
    certificate: str | None = None,
    certificate_required: bool = False,
) -> Record:
    """The record of the charge point whose credentials these are the hashes of.

    digests: one per key in use, the present key's first; a hash under another key is renewed.
    certificate: the fingerprint of the client certificate whose key the caller proved to hold.
    Raises NotEntitled for a wrong secret and an unknown id alike, after the same steps; for the
    right secret IsDeregistered, WrongCertificate, and NotBound where a certificate is required
    and it registered without one.
    """
    record = await get(db, cp_id)
    if not matches(record, digests) or record is None:
        raise NotEntitled
    if record["status"] != REGISTERED:
        raise IsDeregistered
    check_certificate(record, certificate)
    if certificate_required and record.get("certificate_fingerprint") is None:
        raise NotBound
    # Only if nobody rotated or deregistered it since it was read.
    unchanged = {"_id": record["_id"], "token_version": record["token_version"]}
    seen: Record = {
        "last_authenticated": db.now(),
        "credentials_hash": digests[0],
        "asked_with": None,
    }
    if not await REGISTRATIONS.of(db).update_one(unchanged, {"$set": seen}):
        raise NotEntitled
    return {**record, **seen}


def _who(proof: Proof, cp_id: str) -> Actor:
    """Whoever showed that proof, as the audit log names him."""
    if proof.admin:
        return Actor(ActorKind.KEY, "EV_Registry's admin key")
    return Actor(ActorKind.CHARGE_POINT, cp_id)


async def deregister(store: DbInterface, cp_id: str, *, proof: Proof, party: Party) -> Record:
    """Deregister: credentials and tokens die, the EVSE becomes REMOVED, the history stays.

    Done once, it stays done until the operator restores it; the admin may repeat it. Raises
    NotRegistered (to the admin alone), or NotEntitled for credentials that are not right.
    """

    async def work(tx: Tx) -> Record:
        record = await get(tx, cp_id)
        entitled = proof.admin or matches(record, proof.digests)
        if record is None:
            raise NotRegistered if proof.admin else NotEntitled
        if not entitled or (not proof.admin and record["status"] != REGISTERED):
            raise NotEntitled
        if record.get("station") == record["_id"]:
            # A box that goes, goes with all of its EVSEs.
            for other in await of_station(tx, record["_id"]):
                if other["_id"] != record["_id"]:
                    await _deregister(tx, other, proof, party)
            await connections.cut(tx, record["_id"])
        return await _deregister(tx, record, proof, party)

    return await store.transact(work)


async def _deregister(tx: Tx, record: Record, proof: Proof, party: Party) -> Record:
    await enrolments.withdraw(tx, record["_id"])
    if record["status"] == DEREGISTERED:
        return record
    changes: Record = {
        "status": DEREGISTERED,
        "asked_with": None,
        "token_version": record["token_version"] + 1,
        "updated_at": tx.now,
        "history": history_with(record, "deregistered", proof, tx.now),
    }
    await REGISTRATIONS.of(tx).update_one({"_id": record["_id"]}, {"$set": changes})
    await registration_changed(tx, {**record, **changes})
    await rebuild_site(tx, record["site_id"], party)
    with acting_as(_who(proof, record["_id"])):
        await audit.record(
            tx,
            "charge_points.deregister",
            audit.charge_point(record["_id"]),
            before={"status": REGISTERED},
            after={"status": DEREGISTERED},
        )
    return {**record, **changes}
