"""Writing an owned object so that peers hear of it: the object and the marks of the peers that
have not seen it yet, in one transaction. Every change of an OCPI object goes through here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from db_interface.interface import DbInterface
from db_interface.owned_objects import (
    OwnedDocument,
    OwnedObject,
    Replaced,
    Stamp,
    unchanged_by,
)
from db_interface.transaction import Tx
from domain.outbox.changes import tell_of
from domain.outbox.crash_points import crash_point
from domain.outbox.marks import Changed
from domain.outbox.stamping import never_back, stamp_at
from domain.views.making import views_for

_NEW = Replaced("created", None, None)
_NEVER_DELETED = ("locations", "sessions", "cdrs")


class NotToBeChanged(ValueError):
    """What the text lets nobody do to an object once it is there; the message says what instead."""


async def publish(
    store: DbInterface, module: str, obj: OwnedObject, tx: Tx, *, posted: datetime | None = None
) -> str:
    """Keep `obj` under `module`, as its maker has stamped it in this transaction. `posted`: of a
    CDR that may have been sent once, then at the latest: peers are asked for it first.

    Returns "created", "updated" or "unchanged" (an unchanged object marks nobody). Raises
    NotToBeChanged for another state of a CDR.
    """
    replaced = await _written(store, module, obj, tx, never_back(tx.now))
    if replaced.outcome != "unchanged":
        _mark(module, [Changed(obj.key, replaced, obj, posted)], tx)
    return replaced.outcome


async def publish_again(
    store: DbInterface, module: str, states: Sequence[tuple[OwnedDocument, OwnedObject]], tx: Tx
) -> None:
    """`publish` of many objects that are there already and change, each with what is stored of it
    (`OwnedObjects.present`): one write for all whose readers stay the same."""
    stamp, make_views = never_back(tx.now), views_for(module, tx)
    changed: list[tuple[OwnedDocument, OwnedObject]] = []
    for before, obj in states:
        if _has_the_readers_of(before, obj):
            stamped = stamp(obj, before)
            changed.append((before, replace(stamped, views=await make_views(stamped))))
        else:
            await publish(store, module, obj, tx)
    replaced = await store.objects(module).rewrite(changed, tx)
    done = zip(replaced, changed, strict=True)
    _mark(module, [Changed(obj.key, before, obj) for before, (_, obj) in done], tx)


async def publish_all(
    store: DbInterface, module: str, objects: Sequence[OwnedObject], tx: Tx
) -> list[str]:
    """Many objects from outside, stamped now where they change; those that are the same, and new
    ones, in one round trip. Outcomes as `publish` gives them."""
    known = await store.objects(module).present([obj.key for obj in objects], tx)
    stamp = stamp_at(tx.now)
    stamped = [stamp(obj, None) for obj in objects if obj.key not in known]
    make_views = views_for(module, tx)
    new = [replace(obj, views=await make_views(obj)) for obj in stamped]
    await store.objects(module).put_new(new, tx)
    changes: list[Changed] = []
    for obj in objects:
        before = known.get(obj.key)
        replaced = _NEW if before is None else unchanged_by(stamp(obj, before), before)
        replaced = replaced or await _written(store, module, obj, tx, stamp)
        changes.append(Changed(obj.key, replaced, obj))
    changed = [change for change in changes if change.before.outcome != "unchanged"]
    _mark(module, changed, tx)
    return [change.before.outcome for change in changes]


async def withdraw(store: DbInterface, module: str, key: str, tx: Tx) -> bool:
    """Delete the object under its folded key; call inside a transaction. False: not there.

    Raises NotToBeChanged for what cannot be deleted by the text: an EVSE becomes REMOVED, a
    session COMPLETED, a CDR is credited.
    """
    if module in _NEVER_DELETED:
        raise NotToBeChanged(
            f"{module} cannot be deleted in OCPI, only brought to their last state"
        )
    before = await store.objects(module).document(key, tx)
    if before is None or not await store.objects(module).remove(key, tx):
        return False
    gone = Replaced("removed", before["audience"], before["raw"])
    _mark(module, [Changed(key, gone, None)], tx)
    return True


async def would_be(
    store: DbInterface, module: str, objects: Sequence[OwnedObject], tx: Tx
) -> list[str]:
    """The outcomes of `publish_all`, without writing."""
    return await store.objects(module).outcomes(objects, tx, stamp_at(tx.now))


async def _written(
    store: DbInterface, module: str, obj: OwnedObject, tx: Tx, stamp: Stamp
) -> Replaced:
    replaced = await store.objects(module).replace(obj, tx, stamp, views_for(module, tx))
    if module == "cdrs" and replaced.outcome == "updated":
        raise NotToBeChanged("a CDR cannot be changed, only credited (mod_cdrs, Credit CDRs)")
    return replaced


def _has_the_readers_of(before: OwnedDocument, obj: OwnedObject) -> bool:
    had = before.get("links", {}).get("has", ())
    return before["audience"] == obj.audience and {*had} == {*obj.links.get("has", ())}


def _mark(module: str, changes: Sequence[Changed], tx: Tx) -> None:
    crash_point("object-written")
    tell_of(module, changes, tx)
