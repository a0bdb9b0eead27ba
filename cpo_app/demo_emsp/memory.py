"""What the CPO has told the eMSP: locations, sessions, CDRs, tariffs, checked by the text.

Kept in memory. An object is found by the party and the id of its URL, whatever their case.
"""

from __future__ import annotations

from collections.abc import Sequence

from cpo_app.demo_emsp.answers import UNKNOWN_LOCATION, UNKNOWN_OBJECT, Refusal, bad
from db_interface.json_data import JsonObject
from domain.schemas import SchemaError, apply_patch, validate, validate_patch
from domain.versions import ObjectKind, OcpiVersion

RECEIVED = {
    "locations": (ObjectKind.LOCATION, ObjectKind.EVSE, ObjectKind.CONNECTOR),
    "sessions": (ObjectKind.SESSION,),
    "tariffs": (ObjectKind.TARIFF,),
    "cdrs": (ObjectKind.CDR,),
}
"""By module: the kinds of object by how deep the URL goes below the party."""
_PARTS = (("evses", "uid"), ("connectors", "id"))
"""Where the parts of a Location are, and what they are known by."""

Place = tuple[str, str, str]
"""Country code, party id and id of an object, from its URL."""


class Memory:
    def __init__(self, version: OcpiVersion) -> None:
        self.version = version
        self.objects: dict[tuple[str, ...], JsonObject] = {}

    def get(self, module: str, place: Place, below: Sequence[str] = ()) -> JsonObject:
        """Raises Refusal where it is not there."""
        found = self.objects.get(_key(module, place))
        for (name, known_by), wanted in zip(_PARTS, below, strict=False):
            rows = [] if found is None else found.get(name, [])
            found = next((row for row in rows if row[known_by].lower() == wanted.lower()), None)
        if found is None:
            code = UNKNOWN_LOCATION if module == "locations" else UNKNOWN_OBJECT
            raise Refusal(404, code, f"there is no such object in {module}")
        return found

    def put(self, module: str, place: Place, below: Sequence[str], body: object) -> bool:
        """Keep an object, or a part of a Location, whole; whether it is new. Raises Refusal."""
        kind = RECEIVED[module][len(below)]
        try:
            clean = validate(self.version.models[kind], body)
        except SchemaError as error:
            raise bad(str(error)) from error
        _demand_identity(clean, place, below)
        if not below:
            held = self.objects.get(_key(module, place))
            if module == "cdrs" and held not in (None, clean):
                raise bad("a CDR with this id is here, and another one")
            self.objects[_key(module, place)] = clean
            return held is None
        name, known_by = _PARTS[len(below) - 1]
        whole = self.get(module, place, below[:-1])
        rows = whole.get(name, [])
        others = [row for row in rows if row[known_by].lower() != below[-1].lower()]
        whole[name] = [*others, clean]
        self._touch(module, place, below, clean)
        return len(others) == len(rows)

    def patch(self, module: str, place: Place, below: Sequence[str], body: object) -> JsonObject:
        """Lay fields over what is there; the whole object. Raises Refusal."""
        model = self.version.models[RECEIVED[module][len(below)]]
        needed = self.version.description.patches_need_last_updated
        held = self.get(module, place, below)
        try:
            fields = validate_patch(model, body, needs_last_updated=needed)
            changed = apply_patch(model, held, fields)
        except SchemaError as error:
            raise bad(str(error)) from error
        _demand_identity(changed, place, below)
        held.clear()
        held.update(changed)
        self._touch(module, place, below, changed)
        return self.get(module, place)

    def delete(self, module: str, place: Place) -> None:
        """Raises Refusal where it is not there."""
        self.get(module, place)
        del self.objects[_key(module, place)]

    def _touch(self, module: str, place: Place, below: Sequence[str], part: JsonObject) -> None:
        """What a part belongs to is as new as the part."""
        for depth in range(len(below)):
            whole = self.get(module, place, below[:depth])
            whole["last_updated"] = max(whole["last_updated"], part["last_updated"])


def _demand_identity(given: JsonObject, place: Place, below: Sequence[str]) -> None:
    """The ids in an object SHALL be those of the URL."""
    if below:
        known_by = _PARTS[len(below) - 1][1]
        wanted = {known_by: below[-1]}
    else:
        wanted = dict(zip(("country_code", "party_id", "id"), place, strict=True))
    for name, value in wanted.items():
        if name in given and given[name].lower() != value.lower():
            raise bad(f"{name}: is not the one in the URL")


def _key(module: str, place: Place) -> tuple[str, ...]:
    return (module, *(text.lower() for text in place))
