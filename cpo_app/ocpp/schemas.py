"""The JSON schemas of OCPP's messages, out of the library `ocpp`, and payloads held against them.

Read with decimals: a limit of 16.3 A is a multiple of 0.1, which no float says. A version is
offered where the library has its schemas (2.1: on Python 3.11).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import orjson
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from cpo_app.ocpp.tolerance import MAX_TEXT, Mending
from db_interface.json_data import JsonMapping, JsonObject

_FOLDERS: Mapping[str, str] = {"ocpp1.6": "v16", "ocpp2.0.1": "v201", "ocpp2.1": "v21"}
_CODES_16: Mapping[str, str] = {
    "type": "TypeConstraintViolation",
    "required": "OccurenceConstraintViolation",
    "minItems": "OccurenceConstraintViolation",
    "maxItems": "OccurenceConstraintViolation",
}
_CODES_2: Mapping[str, str] = {
    "type": "TypeConstraintViolation",
    "required": "OccurrenceConstraintViolation",
    "minItems": "OccurrenceConstraintViolation",
    "maxItems": "OccurrenceConstraintViolation",
}


class PayloadInvalid(Exception):
    """`code`: OCPP's for the CALLERROR; the text says what and where."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


@cache
def protocols() -> tuple[str, ...]:
    """The subprotocols that are spoken, the best first."""
    there = [name for name, folder in _FOLDERS.items() if (_library() / folder).is_dir()]
    return tuple(reversed(there))


@cache
def actions_of(protocol: str) -> frozenset[str]:
    """Every action that the version knows, whoever asks it."""
    suffix = "Response"
    names = (file.stem for file in _folder(protocol).glob("*.json"))
    return frozenset(name.removesuffix("Request") for name in names if not name.endswith(suffix))


@cache
def schema(protocol: str, action: str, *, answer: bool = False) -> JsonObject:
    """Raises KeyError for an action that the version does not know."""
    if action not in actions_of(protocol):
        raise KeyError(action)
    names = [f"{action}Response"] if answer else [f"{action}Request", action]
    files = [_folder(protocol) / f"{name}.json" for name in names]
    file = next((one for one in files if one.exists()), None)
    if file is None:
        raise KeyError(action)
    read: JsonObject = json.loads(file.read_text("utf-8-sig"), parse_float=Decimal)
    return read


def check(protocol: str, action: str, payload: JsonMapping, *, answer: bool = False) -> None:
    """Raises PayloadInvalid, and KeyError for an unknown action."""
    validator = _validator(protocol, action, answer)
    exact = json.loads(orjson.dumps(payload), parse_float=Decimal)
    error = best_match(validator.iter_errors(exact))
    if error is not None:
        raise PayloadInvalid(_code(protocol, error), _said(error))


def mend(
    protocol: str,
    action: str,
    payload: JsonMapping,
    received_at: datetime,
    *,
    answer: bool = False,
    wall_clock: tzinfo | None = None,
) -> tuple[JsonObject, list[str]]:
    """What a charge point sent, mended as far as it can be (tolerance.py) and held against the
    schema; and what was mended. Times without a zone are of the `wall_clock`, else UTC. Raises
    PayloadInvalid and KeyError as `check`."""
    mending = Mending(schema(protocol, action, answer=answer), received_at, wall_clock)
    mended = mending.mended(payload)
    exact = json.loads(orjson.dumps(mended), parse_float=Decimal)
    for error in _validator(protocol, action, answer).iter_errors(exact):
        if error.validator == "maxLength" and len(error.instance) <= MAX_TEXT:
            mending.mends.append("too_long")
        elif error.validator == "minItems":
            mending.mends.append("too_few")
        elif error.validator != "multipleOf":
            raise PayloadInvalid(_code(protocol, error), _said(error))
    return mended, mending.mends


@cache
def _validator(protocol: str, action: str, answer: bool) -> Validator:
    read = schema(protocol, action, answer=answer)
    made: Validator = validator_for(read)(read)
    return made


def _code(protocol: str, error: ValidationError) -> str:
    codes = _CODES_16 if protocol == "ocpp1.6" else _CODES_2
    if error.validator == "additionalProperties":
        return "FormationViolation" if protocol == "ocpp1.6" else "FormatViolation"
    return codes.get(str(error.validator), "PropertyConstraintViolation")


def _said(error: ValidationError) -> str:
    """What is wrong and where, without the value: it may be a card's."""
    where = ".".join(str(part) for part in error.absolute_path) or "payload"
    if error.validator == "required":
        return f"{where}: {error.message}"
    return f"{where}: against {error.validator} of the schema"


def _folder(protocol: str) -> Path:
    return _library() / _FOLDERS[protocol] / "schemas"


@cache
def _library() -> Path:
    """Where the library lies; it is not imported, for that costs a fifth of a second."""
    spec = find_spec("ocpp")
    assert spec is not None and spec.submodule_search_locations is not None  # noqa: S101
    return Path(next(iter(spec.submodule_search_locations)))
