"""What the operator alone says of a registration that is there already."""

from __future__ import annotations

from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.charge_points import charge_points
from domain.charge_points.charge_point_events import OperativeSet
from domain.charge_points.charge_points import Applied, apply, registration_changed
from domain.charge_points.registration_records import (
    REGISTERED,
    NotRegistered,
    Proof,
    Record,
    history_with,
)
from domain.charge_points.registration_store import REGISTRATIONS, get
from domain.charge_points.site_publishing import rebuild_site
from domain.sites import Party

_OPERATOR = Proof(admin=True)


async def set_operative(tx: Tx, cp_id: str, party: Party, *, operative: bool) -> Applied:
    """Take it out of service (a running session ends first), or put it back. Its engine is told
    by whoever can. Raises NotRegistered."""
    record = await get(tx, cp_id)
    if record is None:
        raise NotRegistered
    before = await charge_points.get(tx, record["_id"])
    was = True if before is None else before.get("operative", True)
    applied = await apply(tx, party, record["_id"], OperativeSet(operative))
    if was is not operative:
        await audit.record(
            tx,
            "charge_points.set_operative",
            audit.charge_point(record["_id"]),
            before={"operative": was},
            after={"operative": operative},
        )
    return applied


async def restore(tx: Tx, cp_id: str, party: Party) -> Record:
    """Undo a deregistration: its own credentials are good again, its earlier tokens are not.

    One that is registered stays as it is. Raises NotRegistered.
    """
    record = await get(tx, cp_id)
    if record is None:
        raise NotRegistered
    if record["status"] == REGISTERED:
        return record
    changes: Record = {
        "status": REGISTERED,
        "token_version": record["token_version"] + 1,
        "updated_at": tx.now,
        "history": history_with(record, "restored", _OPERATOR, tx.now),
    }
    await REGISTRATIONS.of(tx).update_one({"_id": record["_id"]}, {"$set": changes})
    await registration_changed(tx, {**record, **changes})
    await rebuild_site(tx, record["site_id"], party)
    await audit.record(
        tx,
        "charge_points.restore",
        audit.charge_point(record["_id"]),
        before={"status": record["status"]},
        after={"status": REGISTERED},
    )
    return {**record, **changes}


async def let_into_site(tx: Tx, cp_id: str, party: Party) -> Record:
    """Let it stand at the site that it named; what the site is, its owner goes on saying.

    Raises NotRegistered.
    """
    record = await get(tx, cp_id)
    if record is None:
        raise NotRegistered
    if not record.get("site_waiting"):
        return record
    changes: Record = {
        "site_waiting": False,
        "history": history_with(record, "let into its site", _OPERATOR, tx.now),
    }
    await REGISTRATIONS.of(tx).update_one({"_id": record["_id"]}, {"$set": changes})
    await rebuild_site(tx, record["site_id"], party)
    await audit.record(
        tx,
        "charge_points.let_in",
        audit.charge_point(record["_id"]),
        before={"site": record["site_id"], "waits": True},
        after={"site": record["site_id"], "waits": False},
    )
    return {**record, **changes}
