"""What became of a charge point's registration on its way to peers, field by field: said as it was
given, said otherwise, left out, or added by us, and why. Pure.

By the inner form of OCPI. The rules are those of domain.sites; what they warned of is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import orjson

from db_interface.json_data import JsonMapping
from domain.sites.redaction import REDACTED


class What(str, Enum):
    """The most interesting first."""

    LEFT_OUT = "left out"
    CHANGED = "changed"
    ADDED = "added"
    KEPT = "as registered"
    INTERNAL = "not for peers"


@dataclass(frozen=True)
class Difference:
    """`given`: what was registered; `shown`: what peers see; either may be missing."""

    what: What
    field: str
    given: str | None
    shown: str | None
    why: str


_OF_LOCATION = (
    *("publish", "publish_allowed_to", "name", "address", "city", "postal_code", "state"),
    *("country", "coordinates", "related_locations", "parking_type", "directions", "operator"),
    *("suboperator", "owner", "facilities", "time_zone", "opening_times"),
    *("charging_when_closed", "images", "energy_mix", "help_phone"),
)
_OF_EVSE = (
    *("evse_id", "capabilities", "floor_level", "physical_reference", "parking_restrictions"),
    *("status_schedule", "accepted_service_providers", "parking"),
)
_ONLY_IN_EVSE = ("directions", "images", "coordinates")
"""In `evse` alone: outside of it they are the Location's."""
_OF_CONNECTOR = ("tariff_ids", "terms_and_conditions")
_INTERNAL = {
    "site_id": "names the site: charge points of one site are one location",
    "site_members": "says who else may stand at the site",
    "roaming": "says whether peers are offered it at all",
    "meter_id": "goes into sessions and CDRs, not into the location",
    "type": "decides what is said of its connectors",
    "power_rating": "decides what is said of its connectors",
}
_ADDED_TO_LOCATION = {
    "country_code": "our party",
    "party_id": "our party",
    "id": "the site’s id",
    "publish": "published, unless metadata.publish says otherwise",
    "operator": "our party’s name",
    "last_updated": "when it changed last",
}
_ADDED_TO_EVSE = {
    "uid": "the charge point’s id",
    "evse_id": "made of our party and its id",
    "status": "what EV_Central knows of it",
    "capabilities": "what our charge points can do, unless metadata.capabilities says otherwise",
    "coordinates": "it stands elsewhere than its location",
    "last_updated": "when it changed last",
}
_ADDED_TO_CONNECTOR = {
    "id": "counted from 1",
    "tariff_ids": "the default tariff, or one that was assigned",
    "last_updated": "when it changed last",
}
_DERIVED = "derived from power_rating and type, as such charge points are built"
_NOT_OCPI = "OCPI has no such field, or it is read elsewhere; it stays here"
_MAX_SHOWN = 300


def differences(
    registration: JsonMapping, location: JsonMapping, evse: JsonMapping, warnings: Sequence[str]
) -> list[Difference]:
    """Of a record (metadata without secrets) and what it became; `warnings`: of the site."""
    return sorted(
        _all(registration, location, evse, _Complaints(registration["_id"], warnings)),
        key=lambda one: list(What).index(one.what),
    )


def _all(
    registration: JsonMapping,
    location: JsonMapping,
    evse: JsonMapping,
    complaints: _Complaints,
) -> Iterator[Difference]:
    metadata = registration.get("metadata") or {}
    given_evse = metadata.get("evse")
    own: JsonMapping = given_evse if isinstance(given_evse, Mapping) else {}
    place = registration.get("location")
    told: set[str] = set()
    for key, given in metadata.items():
        if key in ("evse", "connectors"):
            continue
        if key in _INTERNAL:
            yield Difference(What.INTERNAL, key, _text(given), None, _INTERNAL[key])
        elif key in _OF_LOCATION:
            told.add(f"location.{key}")
            yield _compared(key, f"location.{key}", given, location.get(key), complaints)
        elif key in _OF_EVSE:
            told.add(f"evse.{key}")
            if key not in own:
                yield _compared(key, f"evse.{key}", given, evse.get(key), complaints)
        elif key in _OF_CONNECTOR:
            told.add(f"connector.{key}")
            yield _of_connectors(key, given, evse, complaints)
        else:
            yield Difference(What.INTERNAL, key, _text(given), None, _NOT_OCPI)
    for key, given in own.items():
        told.add(f"evse.{key}")
        if key in (*_OF_EVSE, *_ONLY_IN_EVSE):
            yield _compared(f"evse.{key}", f"evse.{key}", given, evse.get(key), complaints)
        elif key in _OF_CONNECTOR:
            told.add(f"connector.{key}")
            yield _of_connectors(key, given, evse, complaints)
        elif key != "connectors":
            why = complaints.of(key) or _NOT_OCPI
            yield Difference(What.LEFT_OUT, f"evse.{key}", _text(given), None, why)
    yield from _added("location", location, _ADDED_TO_LOCATION, told, _derived_from(place))
    yield from _added("evse", evse, _ADDED_TO_EVSE, told, "made by us")
    given_connectors = own.get("connectors", metadata.get("connectors"))
    yield from _connectors(given_connectors, evse, told, complaints)


def _connectors(
    given: object, evse: JsonMapping, told: set[str], complaints: _Complaints
) -> Iterator[Difference]:
    """Connectors as they were listed, in their order; what was not said of one is derived."""
    listed = [given] if isinstance(given, Mapping) else given if isinstance(given, list) else []
    for number, connector in enumerate(evse.get("connectors") or (), start=1):
        name = f"connector {connector['id']}"
        said = listed[number - 1] if number <= len(listed) else {}
        said = said if isinstance(said, Mapping) else {}
        for key, value in said.items():
            if key == "power_rating":
                yield Difference(What.INTERNAL, f"{name}.{key}", _text(value), None, _INTERNAL[key])
                continue
            complaint = complaints.of(f"{key} of connector {number}")
            yield _compared(f"{name}.{key}", f"{name}.{key}", value, connector.get(key), complaint)
        for key, value in connector.items():
            if key not in said and f"connector.{key}" not in told:
                why = _ADDED_TO_CONNECTOR.get(key, _DERIVED)
                yield Difference(What.ADDED, f"{name}.{key}", None, _text(value), why)


def _of_connectors(
    key: str, given: object, evse: JsonMapping, complaints: _Complaints
) -> Difference:
    """What is said once for all of its connectors."""
    shown = [connector.get(key) for connector in evse.get("connectors") or ()]
    same = shown[0] if shown and all(one == shown[0] for one in shown) else shown
    return _compared(key, f"connector.{key}", given, same, complaints)


def _compared(
    key: str, field: str, given: object, shown: object, complaints: _Complaints | str | None
) -> Difference:
    if isinstance(complaints, _Complaints):
        complaint = complaints.of(key.rpartition(".")[2])
    else:
        complaint = complaints
    if shown is None or shown == []:
        why = complaint or "it says nothing that OCPI could take over"
        return Difference(What.LEFT_OUT, field, _text(given), None, why)
    if _alike(given, shown):
        return Difference(What.KEPT, field, _text(given), None, complaint or "")
    if given == REDACTED:
        return Difference(What.KEPT, field, REDACTED, _text(shown), "not shown here")
    why = complaint or _why_changed(given, shown)
    return Difference(What.CHANGED, field, _text(given), _text(shown), why)


def _why_changed(given: object, shown: object) -> str:
    if isinstance(given, str) and isinstance(shown, (Mapping, list, bool, int, float)):
        return "in OCPI’s form"
    if isinstance(given, Mapping) and isinstance(shown, Mapping):
        return "in OCPI’s form"
    if isinstance(given, list) and isinstance(shown, list):
        return (
            "what OCPI does not know is left out of it"
            if len(shown) < len(given)
            else ("in OCPI’s form")
        )
    return "in OCPI’s form, or its site’s first charge point says it otherwise"


def _added(
    part: str, fields: JsonMapping, known: Mapping[str, str], told: set[str], derived: str
) -> Iterator[Difference]:
    for key, value in fields.items():
        if key in ("evses", "connectors", "parking_places") or f"{part}.{key}" in told:
            continue
        yield Difference(What.ADDED, f"{part}.{key}", None, _text(value), known.get(key, derived))


def _derived_from(place: object) -> str:
    return f"from the place “{place}”, or from another charge point of the site"


class _Complaints:
    """What was warned of: "CP-1: left out: images 1: ...", "left out: state of CP-1: ..."."""

    def __init__(self, cp_id: str, warnings: Sequence[str]) -> None:
        self._mine = [
            warning.removeprefix(f"{cp_id}: ")
            for warning in warnings
            if warning.startswith(f"{cp_id}: ") or f" of {cp_id}: " in warning
        ]

    def of(self, key: str) -> str | None:
        pattern = re.compile(rf"(?:^|[\s.]){re.escape(key)}(?:[\s:]|$)")
        found = [warning for warning in self._mine if pattern.search(warning)]
        return "; ".join(warning.removeprefix("left out: ") for warning in found) or None


def _alike(given: object, shown: object) -> bool:
    if given == shown:
        return True
    if isinstance(given, (list, tuple)) or isinstance(shown, (list, tuple)):
        if not isinstance(given, (list, tuple)):
            return [given] == shown
        return False
    return isinstance(given, (str, int, float)) and str(given).strip() == str(shown)


def _text(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
