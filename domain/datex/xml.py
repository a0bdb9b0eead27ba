"""DATEX II's JSON encoding as its XML: in the schema's order, each element in the namespace of the
class that it belongs to.

A field that a shape does not know is an error: nothing is left out in silence. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from db_interface.json_data import JsonMapping
from domain.datex.words import Shared

NAMESPACES: Mapping[str, str] = {
    "aegi": "http://datex2.eu/schema/3/afirEnergyInfrastructure",
    "afac": "http://datex2.eu/schema/3/afirFacilities",
    "com": "http://datex2.eu/schema/3/common",
    "d2": "http://datex2.eu/schema/3/d2Payload",
    "loc": "http://datex2.eu/schema/3/locationReferencing",
    "locx": "http://datex2.eu/schema/3/locationExtension",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}

Out = list[str]
Write = Callable[[Out, str, Any], None]
"""Writes a value as the element of that name."""

_ESCAPED = re.compile('[&<>"\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


class NotOfTheSchema(ValueError):
    """A field that its class does not have, or not at that place."""


def escaped(text: str) -> str:
    """Text as it stands in XML; characters that no XML can hold are left out."""
    if _ESCAPED.search(text) is None:
        return text
    return _ESCAPED.sub(lambda found: _ENTITIES.get(found[0], ""), text)


def plain(out: Out, tag: str, value: object) -> None:
    """Text, numbers and booleans."""
    if isinstance(value, str):
        if _ESCAPED.search(value):
            value = escaped(value)
    elif value is True or value is False:
        value = "true" if value else "false"
    out.append(f"<{tag}>{value}</{tag}>")


def time_of_day(out: Out, tag: str, value: str) -> None:
    """Local time: the Z that the JSON encoding wants would mean UTC here."""
    out.append(f"<{tag}>{value.removesuffix('Z')}</{tag}>")


def enumeration(out: Out, tag: str, value: JsonMapping) -> None:
    word = value["value"]
    if word == "extendedG":
        extended = escaped(value["extendedValueG"])
        out.append(f'<{tag} _extendedValue="{extended}">_extended</{tag}>')
    else:
        out.append(f"<{tag}>{word}</{tag}>")


def multilingual(out: Out, tag: str, value: JsonMapping) -> None:
    out.append(f"<{tag}><com:values>")
    for one in value["values"]:
        language, text = escaped(one["lang"]), escaped(one["value"])
        out.append(f'<com:value lang="{language}">{text}</com:value>')
    out.append(f"</com:values></{tag}>")


def several(write: Write) -> Write:
    """One element for each of the values."""

    def write_all(out: Out, tag: str, values: Sequence[Any]) -> None:
        for value in values:
            write(out, tag, value)

    return write_all


class Field(NamedTuple):
    """A field by its name in the JSON encoding: the element's name, and how it is written."""

    tag: str
    write: Write


def _unknown(_out: Out, tag: str, _value: object) -> None:
    raise NotOfTheSchema(tag)


_UNKNOWN = (-1, "", _unknown)


class Shape:
    """A class: its attributes (JSON name to XML's), and its fields in the order of the schema.

    Objects have their fields in that order: sorting each of them would take as long as writing it.
    """

    def __init__(self, attributes: Mapping[str, str], fields: Mapping[str, Field]) -> None:
        self._attributes = attributes
        self._fields = {name: (place, *field) for place, (name, field) in enumerate(fields.items())}

    def __call__(self, out: Out, tag: str, value: JsonMapping, type_: str = "") -> None:
        if isinstance(value, Shared):
            if tag not in value.written:
                own: Out = []
                self._write(own, tag, value, type_)
                value.written[tag] = "".join(own)
            out.append(value.written[tag])
        else:
            self._write(out, tag, value, type_)

    def _write(self, out: Out, tag: str, value: JsonMapping, type_: str) -> None:
        begin = f'<{tag} xsi:type="{type_}"' if type_ else f"<{tag}"
        attributes = self._attributes
        if attributes:
            for name, attribute in attributes.items():
                if name in value:
                    begin += f' {attribute}="{escaped(str(value[name]))}"'
        out.append(f"{begin}>")
        fields, before = self._fields, -1
        for name, one in value.items():
            place, element, write = fields.get(name, _UNKNOWN)
            if place > before:
                write(out, element, one)
                before = place
            elif name not in attributes:
                raise NotOfTheSchema(f"{tag} has no {name} there")
        out.append(f"</{tag}>")

    def inline(self, out: Out, _: str, value: Shared) -> None:
        """Its fields, as a part of the object that it is shared by."""
        if not value.written:
            own: Out = []
            self._write(own, "", value, "")
            value.written[""] = "".join(own[1:-1])
        out.append(value.written[""])


def one_of(shapes: Mapping[str, tuple[str, Shape]]) -> Write:
    """Of an abstract class: `{"afacOpenAllHours": {...}}`, written with the type that it is."""

    def write(out: Out, tag: str, value: JsonMapping) -> None:
        ((key, inside),) = value.items()
        if key not in shapes:
            raise NotOfTheSchema(f"{tag} is no {key}")
        type_, shape = shapes[key]
        shape(out, tag, inside, type_)

    return write


def as_type(type_: str, shape: Shape) -> Write:
    """Of an abstract class, where the JSON encoding says no type: there is but one."""

    def write(out: Out, tag: str, value: JsonMapping) -> None:
        shape(out, tag, value, type_)

    return write


def refers_to(class_: str) -> Write:
    """A reference by id and version; the class is always said with its prefix here."""

    def write(out: Out, tag: str, value: JsonMapping) -> None:
        version = f' version="{escaped(value["versionG"])}"' if "versionG" in value else ""
        id_ = escaped(value["idG"])
        out.append(f'<{tag} id="{id_}"{version} targetClass="{class_}"/>')

    return write
