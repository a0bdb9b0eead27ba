"""Objects in an OCPI version: the bytes that are kept with them, and those that are made for a
reader where none are kept.

In a version whose sessions and CDRs hold a whole Location, it is the Location as the store has it
when they are made: of a session with each change, of a CDR once. In one that shows but the tariffs
that apply now, those of the moment are: what they become is tariff_turns.py's.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial

import orjson

from db_interface.collection import Where
from db_interface.json_data import JsonMapping
from db_interface.owned_objects import MakeViews, OwnedObject
from db_interface.transaction import Tx
from db_interface.views import SAME, UNSAID, View
from domain.objects.locations import location_with_evse
from domain.rendered import Rendered
from domain.versions import (
    INNER_VERSION,
    NO_CONTEXT,
    Context,
    ObjectKind,
    OcpiVersion,
    Unconvertible,
)
from domain.views.current_tariffs import chooser, moment
from domain.views.in_use import in_use

logger = logging.getLogger("cpo.ocpi")

KINDS: Mapping[str, ObjectKind] = {
    "locations": ObjectKind.LOCATION,
    "sessions": ObjectKind.SESSION,
    "cdrs": ObjectKind.CDR,
    "tariffs": ObjectKind.TARIFF,
}
"""What the objects of each module are that peers read lists of."""


def view_of(version: OcpiVersion) -> View:
    """What it is kept as. In the inner version nearly every object is as it is."""
    return _view(version.key, version.revision, version is INNER_VERSION)


@lru_cache
def _view(key: str, revision: int, is_inner: bool) -> View:
    return View(f"{key}_{revision}", same_if_absent=is_inner)


def views_for(module: str, tx: Tx) -> MakeViews:
    """Makes the views that an object of the module is kept with, in the transaction that writes
    it."""
    return partial(_views, module, tx)


async def _views(module: str, tx: Tx, obj: OwnedObject) -> Mapping[str, bytes]:
    used = await in_use(tx.db)
    raw = orjson.dumps(obj.fields)
    views: dict[str, bytes] = {}
    for version in used.versions(module, obj.audience):
        made, view = await kept(tx, module, obj.fields, raw, version), view_of(version)
        if not (made == SAME and view.same_if_absent):
            views[view.name] = made
    return views


async def kept(
    where: Where, module: str, inner: JsonMapping, raw: bytes, version: OcpiVersion
) -> bytes:
    """What is kept of the object in that version: its bytes, SAME, or UNSAID."""
    made = await _made(where, module, inner, raw, version)
    if made is None:
        return UNSAID
    return SAME if made == raw else made


async def made_for(
    where: Where, module: str, raws: Sequence[bytes], version: OcpiVersion
) -> list[bytes | None]:
    """The objects as the version has them; None for one that cannot be said in it (it is logged).

    For what was read without a view.
    """
    return [await _made(where, module, Rendered(raw).plain(), raw, version) for raw in raws]


async def _made(
    where: Where, module: str, inner: JsonMapping, raw: bytes, version: OcpiVersion
) -> bytes | None:
    """`raw`: what the inner object is as JSON."""
    kind = KINDS[module]
    context = await _context(where, kind, inner, version)
    try:
        made = version.render(kind, inner, context).object
        # Equal but for the order of its fields: as it is, so that nothing need be kept of it.
        return raw if made == inner else orjson.dumps(made)
    except Unconvertible as error:
        logger.warning("%s %s in OCPI %s: %s", module, inner["id"], version.number, error)
    except Exception:  # a bill must be made, and a list be read, whatever one version's view says
        logger.exception("%s %s cannot be said in OCPI %s", module, inner["id"], version.number)
    return None


async def _context(
    where: Where, kind: ObjectKind, inner: JsonMapping, version: OcpiVersion
) -> Context:
    context, place = NO_CONTEXT, inner
    if kind in version.with_whole_location:
        context = Context(location=await _location_of(where, inner))
        place = context.location or {}
    if kind in version.with_current_tariffs:
        context = replace(context, at=moment(where))
        if place.get("evses"):
            context = replace(context, choose_tariff=await chooser(where, place))
    return context


async def _location_of(where: Where, inner: JsonMapping) -> JsonMapping | None:
    """Where a session or CDR took place, as the store knows it now."""
    place: JsonMapping = inner.get("cdr_location", inner)
    location_id = place.get("location_id", place.get("id"))
    return await location_with_evse(where, place["evse_uid"], location_id)
