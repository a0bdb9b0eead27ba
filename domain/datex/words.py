"""The few forms that DATEX II's JSON encoding gives to values: enumerations, texts in a language,
references. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from db_interface.json_data import JsonMapping, JsonObject

MAX_TEXT_LENGTH = 1024
"""of com:String and of each value of a com:MultilingualString"""
EQUIPMENT = "equipment"
"""Under this name stand fields of a charging point that are Shared; it is no field of its own."""
ENGLISH = "en"
"""of the words that are ours"""


class Shared(JsonObject):
    """What many objects have alike, and nobody changes: its XML is written once."""

    __slots__ = ("written",)

    def __init__(self, fields: JsonMapping) -> None:
        super().__init__(fields)
        self.written: dict[str, str] = {}
        """By the name of the element that it is."""


def enum(value: str) -> JsonObject:
    return {"value": value}


def enums(values: Iterable[str]) -> list[JsonObject]:
    """Each once, in their order."""
    return [enum(value) for value in dict.fromkeys(values)]


def text(value: str, language: str) -> JsonObject:
    return {"values": [{"lang": language.lower(), "value": value[:MAX_TEXT_LENGTH]}]}


def mapped(
    values: Iterable[str] | None, table: Mapping[str, str], other: str | None = None
) -> list[JsonObject]:
    """The values that DATEX II has a word for; those that it has none for are `other`, or left
    out."""
    return enums(word for value in values or () if (word := table.get(value, other)))


def said(**fields: object) -> JsonObject:
    """The fields that say something: what is None, empty text or an empty list is not there."""
    # In this order: most say something, and a comparison with each kind of nothing costs.
    return {name: one for name, one in fields.items() if one or one is False or one == 0}


def external_id(identifier: str, kind: str) -> JsonObject:
    """An identifier that others know the thing by. The kind evseId is DATEX II's own."""
    if kind == "evseId":
        known = {"value": "extendedG", "extendedValueG": kind}
        return {"identifier": identifier, "typeOfIdentifier": known}
    return {"identifier": identifier, "otherTypeOfIdentifier": kind}


def reference(id_: str, version: str) -> JsonObject:
    return {"targetClass": "FacilityObject", "idG": id_, "versionG": version}


def rate_reference(id_: str) -> JsonObject:
    return {"targetClass": "EnergyRate", "idG": id_}


def texts(said_in: Iterable[JsonMapping] | None) -> list[JsonObject]:
    """OCPI's DisplayTexts, each in its language."""
    return [text(one["text"], one["language"]) for one in said_in or ()]
