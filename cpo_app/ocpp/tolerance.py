"""What real boxes send, mended before it is held against the schema. Pure; each mend has a name.

| mend | what is met |
|---|---|
| `extra_field` | a field that the schema does not know: left out |
| `null` | a field without a value: left out |
| `field_case` | `connectorID`: the field that it is but for upper and lower case |
| `number_as_text` | `"12.5"`, `"12,5"` where a number is wanted |
| `text_as_number` | `4711` where text is wanted (an idTag, a sampled value) |
| `fraction` | `1234.0`, `1234.6` where a whole number is wanted: rounded |
| `truth_as_text` | `"true"`, `1` where true or false is wanted |
| `enum_case` | `wh`, `sample periodic`: the value that it is but for case and separators |
| `unknown_value` | an optional field with a value that OCPP does not have: left out |
| `unknown_sample` | a sampled value of an unknown measurand or unit: left out whole |
| `not_a_list` | a single thing where a list is wanted |
| `time_form` | a time without `T`, zone, or as seconds since 1970 |
| `no_time` | no time, or none that can be read, where one is needed: when the message came |
| `too_long` | text longer than OCPP allows, up to 255 characters: taken as it is, never cut |
| `too_few` | a list that should not be empty and is |

What a meter or an identity says is never guessed: a wrong one is left out or refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone, tzinfo

from db_interface.json_data import JsonMapping, JsonObject
from domain.ocpp.times import time_of
from domain.times import format_datetime

MAX_TEXT = 255
MAX_NUMBER = 2**53
_NUMBER = re.compile(r"\s*[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?\s*\Z", re.ASCII)
_SEPARATORS = re.compile(r"[\s_.-]+")
_TRUTHS: Mapping[object, bool] = {"true": True, "false": False, "1": True, "0": False}
_EPOCH = re.compile(r"\d{9,10}(?:\d{3})?\Z", re.ASCII)
_SAMPLES = "sampledValue"


class _Unknown(Exception):
    """A value that the schema's list does not have."""


@dataclass
class Mending:
    """One payload's. `mends`: by name, as they were made."""

    schema: JsonMapping
    received_at: datetime
    wall_clock: tzinfo | None = None
    """of times without a zone; None: UTC"""
    mends: list[str] = field(default_factory=list)

    def mended(self, payload: JsonMapping) -> JsonObject:
        return self._object(payload, self.schema)

    def _object(self, given: JsonMapping, schema: JsonMapping) -> JsonObject:
        properties: JsonMapping = schema.get("properties", {})
        if not properties:
            return dict(given)
        closed = schema.get("additionalProperties") is False
        out: JsonObject = {}
        for name, value in given.items():
            known = self._name(name, given, properties)
            if known is None and closed:
                self.mends.append("extra_field")
            elif value is None:
                self.mends.append("null")
            elif known is None:
                out[name] = value
            else:
                self._put(out, known, value, schema)
        for name in schema.get("required", ()):
            if name not in out and _is_time(self._resolved(properties.get(name, {}))):
                self.mends.append("no_time")
                out[name] = format_datetime(self.received_at)
        return out

    def _put(self, out: JsonObject, name: str, value: object, schema: JsonMapping) -> None:
        wanted = self._resolved(schema["properties"][name])
        try:
            mended = self._value(value, wanted, name)
        except _Unknown:
            if name in schema.get("required", ()):
                out[name] = value
            else:
                self.mends.append("unknown_value")
            return
        if mended is not None:
            out[name] = mended

    def _name(self, name: str, given: JsonMapping, properties: JsonMapping) -> str | None:
        if name in properties:
            return name
        for known in properties:
            if known.lower() == name.lower() and known not in given:
                self.mends.append("field_case")
                return str(known)
        return None

    def _value(self, value: object, schema: JsonMapping, name: str) -> object:
        """None: it is left out. Raises _Unknown."""
        kind = schema.get("type")
        if kind == "object":
            return self._object(value, schema) if isinstance(value, dict) else value
        if kind == "array":
            return self._list(value, self._resolved(schema.get("items", {})), name)
        if isinstance(value, (dict, list)):
            return value
        if kind in ("integer", "number"):
            return self._number(value, whole=kind == "integer")
        if kind == "boolean":
            return self._truth(value)
        if kind == "string":
            return self._text(value, schema)
        return value

    def _list(self, value: object, items: JsonMapping, name: str) -> list[object]:
        if not isinstance(value, list):
            self.mends.append("not_a_list")
            value = [value]
        if name != _SAMPLES:
            mended = [self._value(one, items, name) for one in value if one is not None]
            return [one for one in mended if one is not None]
        samples: list[object] = []
        for one in value:
            before = len(self.mends)
            sample = self._value(one, items, name)
            if "unknown_value" in self.mends[before:]:
                self.mends[before:] = ["unknown_sample"]
            else:
                samples.append(sample)
        return samples

    def _number(self, value: object, *, whole: bool) -> object:
        if isinstance(value, str) and _NUMBER.match(value):
            self.mends.append("number_as_text")
            number = float(value.replace(",", "."))
            value = int(number) if number.is_integer() else number
        if isinstance(value, (int, float)) and not abs(value) < MAX_NUMBER:
            return str(value)  # nothing that is measured, nor can be kept: refused as no number
        if whole and isinstance(value, float):
            self.mends.append("fraction")
            return round(value)
        return value

    def _truth(self, value: object) -> object:
        if isinstance(value, bool):
            return value
        truth = _TRUTHS.get(str(value).strip().lower())
        if truth is None:
            return value
        self.mends.append("truth_as_text")
        return truth

    def _text(self, value: object, schema: JsonMapping) -> object:
        if _is_time(schema):
            return self._time(value)
        if isinstance(value, bool):
            self.mends.append("text_as_number")
            value = str(value).lower()
        elif isinstance(value, (int, float)):
            self.mends.append("text_as_number")
            value = str(value)
        listed = schema.get("enum")
        if listed is None or value in listed:
            return value
        alike = [one for one in listed if _plain(str(one)) == _plain(str(value))]
        if len(alike) != 1:
            raise _Unknown
        self.mends.append("enum_case")
        return alike[0]

    def _time(self, value: object) -> str | None:
        """None: none that can be read."""
        text = str(value).strip()
        if _EPOCH.match(text):
            seconds = int(text) / (1000 if len(text) > 10 else 1)
            moment: datetime | None = datetime.fromtimestamp(seconds, timezone.utc)
        else:
            moment = time_of(text.replace(" ", "T", 1))
            if moment is not None and self.wall_clock is not None and not _has_zone(text):
                moment = moment.replace(tzinfo=self.wall_clock).astimezone(timezone.utc)
        if moment is None:
            return None
        written = format_datetime(moment)
        if not isinstance(value, str) or "T" not in value or not _has_zone(value):
            self.mends.append("time_form")
        return written

    def _resolved(self, schema: JsonMapping) -> JsonMapping:
        reference = schema.get("$ref")
        if reference is None:
            return schema
        found: JsonMapping = self.schema["definitions"][str(reference).rpartition("/")[2]]
        return found


def _is_time(schema: JsonMapping) -> bool:
    return schema.get("format") == "date-time"


def _has_zone(text: str) -> bool:
    return re.search(r"(?:[zZ]|[+-]\d\d:?\d\d)\Z", text) is not None


def _plain(text: str) -> str:
    return _SEPARATORS.sub("", text).lower()
