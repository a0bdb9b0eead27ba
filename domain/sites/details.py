"""All fields of a Location that say how and where it is: everything but its owner, id and EVSEs.

Source: OCPI 2.2.1, mod_locations, Location Object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from db_interface.json_data import JsonObject
from domain.sites.facts import Facts
from domain.sites.fields import BadValue, read_boolean, read_list, read_location_field
from domain.sites.records import Record
from domain.sites.whereabouts import READERS, read_whereabouts

_OPTIONAL = (
    "name",
    "parking_type",
    "operator",
    "suboperator",
    "owner",
    "opening_times",
    "charging_when_closed",
    "energy_mix",
    "help_phone",
)
_OPTIONAL_LISTS = ("related_locations", "directions", "facilities", "images")
_LISTS = ("publish_allowed_to", *_OPTIONAL_LISTS)


def bad_fields(record: Record) -> list[str]:
    """Each field of a Location that the record itself gives and that cannot be used, and why."""
    return [
        f"{key} of {record.cp_id}: {problem}; mend metadata.{key}"
        for key, read in _READERS.items()
        if (problem := _problem(read, record.metadata.get(key)))
    ]


def read_details(facts: Facts) -> JsonObject:
    """The fields that have a value; what is missing or bad goes to `facts`."""
    publish = facts.mandatory("publish", read_boolean)
    fields: JsonObject = {"publish": True if publish is None else publish}
    fields["publish_allowed_to"] = _publish_allowed_to(facts, fields["publish"])
    fields.update(read_whereabouts(facts))
    for name in _OPTIONAL:
        fields[name] = facts.optional(name, partial(read_location_field, name))
    for name in _OPTIONAL_LISTS:
        fields[name] = _list(facts, name)
    return {name: value for name, value in fields.items() if value not in (None, [])}


def _problem(read: Callable[[object], object], value: object) -> str | None:
    if value is None:
        return None
    try:
        read(value)
    except BadValue as bad:
        return str(bad)
    return None


def _whole_list(name: str, value: object) -> object:
    """A list of which every item is good; raises BadValue."""
    bad: list[str] = []
    items = read_list(name, value, read_location_field, bad)
    if bad:
        raise BadValue(bad[0].removeprefix("left out: "))
    return items


def _publish_allowed_to(facts: Facts, publish: bool) -> list[Any] | None:
    tokens = _list(facts, "publish_allowed_to")
    if tokens and publish:
        facts.warnings.append("left out: publish_allowed_to is only used if publish is false")
        return None
    return tokens


def _list(facts: Facts, name: str) -> list[Any] | None:
    def read(value: object) -> list[Any] | None:
        return read_list(name, value, read_location_field, facts.warnings) or None

    return facts.optional(name, read)


_READERS: Mapping[str, Callable[[object], object]] = {
    "publish": read_boolean,
    **READERS,
    **{name: partial(read_location_field, name) for name in _OPTIONAL},
    **{name: partial(_whole_list, name) for name in _LISTS},
}
