"""Every state of an object that peers read bears the moment of the transaction that wrote it.

By it peers that pull ask on. So no stamp comes from elsewhere (a file, another clock), none goes
back for an object, and one that opens to other readers is as new as one that has changed: it and
its EVSEs, for who was told that they are REMOVED may ignore what does not claim to be newer.

Who makes an object in a transaction stamps it with that one's `now` (sites/last_updated.py for what
has parts); `never_back` watches over it. What comes from outside is stamped by `stamp_at`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

import orjson

from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import NOBODY, OwnedDocument, OwnedObject, Stamp
from domain.sites.last_updated import MIN_STEP
from domain.times import format_datetime, parse_datetime

_STAMP: Final = "last_updated"
_PARTS = ("evses", "connectors")
_AFTER_A_REMOVAL = 2 * MIN_STEP
"""One that went out after the latest change bears a step more than that."""


def never_back(now: datetime) -> Stamp:
    """The maker's own stamp where it is later than the one before; else the transaction's."""
    at_now = stamp_at(now)

    def stamp(obj: OwnedObject, before: OwnedDocument | None) -> OwnedObject:
        if before is None:
            return obj
        if _opens(obj, before):
            return _as_new(obj, before, now)
        moved_on = obj.last_updated > before[_STAMP] and before["audience"] == obj.audience
        return obj if moved_on else at_now(obj, before)

    return stamp


def stamp_at(now: datetime) -> Stamp:
    """The transaction's stamp, whatever the object says. What is stored already keeps its own."""

    def stamp(obj: OwnedObject, before: OwnedDocument | None) -> OwnedObject:
        if before is not None and _opens(obj, before):
            return _as_new(obj, before, now)
        at = now if before is None else max(now, before[_STAMP] + MIN_STEP)
        if obj.last_updated == at:
            return obj
        if before is not None and before["audience"] == obj.audience:
            stored: JsonObject = orjson.loads(before["raw"])
            if {**stored, _STAMP: None} == {**obj.fields, _STAMP: None}:
                return replace(obj, fields=stored, last_updated=before[_STAMP])
        fields = obj.fields if obj.last_updated < at else _no_later(obj.fields, at)
        return replace(obj, fields={**fields, _STAMP: format_datetime(at)}, last_updated=at)

    return stamp


def as_new(document: OwnedDocument, now: datetime) -> OwnedObject:
    """A stored object, as it is, stamped as if it had come now."""
    fields: JsonObject = orjson.loads(document["raw"])
    obj = OwnedObject(
        fields["country_code"],
        fields["party_id"],
        (fields["id"],),
        fields,
        document[_STAMP],
        document["audience"],
        document.get("links", {}),
    )
    return _as_new(obj, document, now)


def _opens(obj: OwnedObject, before: OwnedDocument) -> bool:
    """Whether somebody may see it now who could not: by its audience, or by what it has."""
    if obj.audience == NOBODY:
        return False
    had = before.get("links", {}).get("has", ())
    return before["audience"] != obj.audience or not {*obj.links.get("has", ())} <= {*had}


def _as_new(obj: OwnedObject, before: OwnedDocument, now: datetime) -> OwnedObject:
    at = max(now, before[_STAMP] + _AFTER_A_REMOVAL)
    moment = format_datetime(at)
    fields: JsonObject = {**_no_later(obj.fields, at), _STAMP: moment}
    if "evses" in fields:
        fields["evses"] = [{**evse, _STAMP: moment} for evse in fields["evses"]]
    return replace(obj, fields=fields, last_updated=at)


def _no_later(part: JsonMapping, at: datetime) -> JsonObject:
    """A Location, EVSE or Connector of which nothing claims to be of the future."""
    changed = dict(part)
    if _STAMP in part and parse_datetime(part[_STAMP]) > at:
        changed[_STAMP] = format_datetime(at)
    for name in _PARTS:
        if name in part:
            changed[name] = [_no_later(each, at) for each in part[name]]
    return changed
