"""Which tariffs apply where, by the operator's word: at a location, an EVSE, a connector.

His word goes over what a registration or an import says; the closest one counts: the connector's
before the EVSE's before the location's. It stands beside the Location in its document (as its
groups do), with what was given otherwise, and is kept when the Location is written anew. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict

from db_interface.json_data import JsonMapping, JsonObject

_REMOVED = "REMOVED"
_TARIFFS = "tariff_ids"


class Word(TypedDict):
    """An assignment: at a connector, an EVSE (no connector), or all of the location (neither)."""

    evse_uid: str | None
    connector_id: str | None
    tariff_ids: list[str]
    by: str
    at: datetime


class Given(TypedDict):
    """What a connector has without the operator's word."""

    evse_uid: str
    connector_id: str
    tariff_ids: list[str]


class Assigned(TypedDict):
    """`tariffs_assigned` of a Location's document."""

    words: list[Word]
    given: list[Given]


class Row(NamedTuple):
    """A connector with its tariffs. `source`: whose word it is: "connector", "EVSE", "location" of
    the operator; "given" by registration or import; "default", or "none"."""

    evse_uid: str
    connector_id: str
    tariff_ids: Sequence[str]
    source: str


def with_words(
    location: JsonMapping, assigned: Assigned | None
) -> tuple[JsonObject, Assigned | None]:
    """The location, as it was given, with the operator's word on its connectors; and what is to be
    kept beside it. EVSEs that are REMOVED stay as they were."""
    if assigned is None or not assigned["words"]:
        return dict(location), None
    given: list[Given] = []
    evses = []
    for evse in location.get("evses", ()):
        if evse["status"] == _REMOVED:
            evses.append(evse)
            continue
        given += [
            {
                "evse_uid": evse["uid"],
                "connector_id": one["id"],
                "tariff_ids": list(one.get(_TARIFFS) or ()),
            }
            for one in evse["connectors"]
        ]
        connectors = [
            _with_tariffs(one, word["tariff_ids"] if word else one.get(_TARIFFS))
            for one in evse["connectors"]
            for word in [_word_on(assigned["words"], evse["uid"], one["id"])]
        ]
        evses.append({**evse, "connectors": connectors})
    known = {_place(one) for one in given}
    kept = [one for one in assigned["given"] if _place(one) not in known]
    changed = {**location, "evses": evses} if evses else dict(location)
    return changed, {"words": assigned["words"], "given": [*kept, *given]}


def without_words(location: JsonMapping, assigned: Assigned | None) -> JsonObject:
    """The location as it was given."""
    if assigned is None:
        return dict(location)
    given = {_place(one): one["tariff_ids"] for one in assigned["given"]}
    evses = [
        {
            **evse,
            "connectors": [
                _with_tariffs(one, given.get(_folded(evse["uid"], one["id"]), one.get(_TARIFFS)))
                for one in evse["connectors"]
            ],
        }
        for evse in location.get("evses", ())
    ]
    return {**location, "evses": evses} if evses else dict(location)


def rows_of(location: JsonMapping, assigned: Assigned | None, default: str | None) -> Iterator[Row]:
    """Every connector that is in use, with its tariffs and whose word that is."""
    for evse in location.get("evses", ()):
        if evse["status"] == _REMOVED:
            continue
        for connector in evse["connectors"]:
            word = _word_on(assigned["words"], evse["uid"], connector["id"]) if assigned else None
            named = connector.get(_TARIFFS) or ()
            yield _row(evse["uid"], connector["id"], named, word, default)


def _row(
    evse_uid: str, connector_id: str, named: Sequence[str], word: Word | None, default: str | None
) -> Row:
    if word is not None:
        source = "connector" if word["connector_id"] else "EVSE" if word["evse_uid"] else "location"
        return Row(evse_uid, connector_id, named, source)
    if named:
        return Row(evse_uid, connector_id, named, "given")
    return Row(
        evse_uid, connector_id, [default] if default else [], "default" if default else "none"
    )


def _word_on(words: Sequence[Word], evse_uid: str, connector_id: str) -> Word | None:
    """The closest."""
    of = {_folded(word["evse_uid"], word["connector_id"]): word for word in words}
    places = ((evse_uid, connector_id), (evse_uid, None), (None, None))
    return next((of[key] for place in places if (key := _folded(*place)) in of), None)


def _with_tariffs(connector: JsonMapping, tariff_ids: Sequence[str] | None) -> JsonObject:
    """In the order in which it has its fields."""
    if not tariff_ids:
        return {name: value for name, value in connector.items() if name != _TARIFFS}
    changed = dict(connector)
    stamp = changed.pop("last_updated", None)
    changed[_TARIFFS] = list(tariff_ids)
    return changed if stamp is None else {**changed, "last_updated": stamp}


def place_of(evse_uid: str | None, connector_id: str | None) -> tuple[str, str]:
    """Two are the same place whatever their case."""
    return _folded(evse_uid, connector_id)


def _folded(evse_uid: str | None, connector_id: str | None) -> tuple[str, str]:
    return (evse_uid or "").lower(), (connector_id or "").lower()


def _place(one: Given) -> tuple[str, str]:
    return _folded(one["evse_uid"], one["connector_id"])
