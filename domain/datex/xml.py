"""DATEX II's JSON encoding as its XML: in the schema's order, each element in the namespace of the
class that it belongs to.

A field that a shape does not know is an error: nothing is left out in silence. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from db_interface.json_data import JsonMapping

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


class NoSuchField(ValueError):
    """A field that the class does not have."""


def escaped(text: str) -> str:
    """Text as it stands in XML; characters that no XML can hold are left out."""
    if _ESCAPED.search(text) is None:
        return text
    return _ESCAPED.sub(lambda found: _ENTITIES.get(found[0], ""), text)


def plain(out: Out, tag: str, value: object) -> None:
    """Text, numbers and booleans."""
    if isinstance(value, str):
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


class Shape:
    """A class: its attributes (JSON name to XML's), and its fields in the order of the schema."""

    def __init__(self, attributes: Mapping[str, str], fields: Mapping[str, Field]) -> None:
        self._attributes = attributes
        self._fields = fields
        self._place = {name: place for place, name in enumerate((*attributes, *fields))}

    def __call__(self, out: Out, tag: str, value: JsonMapping, type_: str = "") -> None:
        begin = f'<{tag} xsi:type="{type_}"' if type_ else f"<{tag}"
        try:
            names = sorted(value, key=self._place.__getitem__)
        except KeyError:
            unknown = sorted(value.keys() - self._place.keys())
            raise NoSuchField(f"{tag} has no {', '.join(unknown)}") from None
        attributes = [name for name in names if name in self._attributes]
        for name in attributes:
            begin += f' {self._attributes[name]}="{escaped(str(value[name]))}"'
        out.append(f"{begin}>")
        for name in names[len(attributes) :]:
            element, write = self._fields[name]
            write(out, element, value[name])
        out.append(f"</{tag}>")


def one_of(shapes: Mapping[str, tuple[str, Shape]]) -> Write:
    """Of an abstract class: `{"afacOpenAllHours": {...}}`, written with the type that it is."""

    def write(out: Out, tag: str, value: JsonMapping) -> None:
        ((key, inside),) = value.items()
        if key not in shapes:
            raise NoSuchField(f"{tag} is no {key}")
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
