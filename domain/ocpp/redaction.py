"""OCPP messages as they may be kept: no driver's card, no password, no login in a URL. Pure.

Judged by the names of fields. Of a card its last four characters are kept: what is needed to
recognise it, as everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson

from db_interface.json_data import JsonObject
from domain.audit.redaction import REDACTED, bare_url

MAX_BYTES = 8000
_CARDS = frozenset({"idTag", "parentIdTag", "idToken", "groupIdToken", "emaid", "eMAID"})
_SECRETS = re.compile(r"password|secret|authorizationkey|privatekey", re.I)
_URLS = frozenset({"location", "remoteLocation", "url", "ocppCsmsUrl"})
_TRANSFER = re.compile(r"(/ocpp-files/)[^/?]+")
"""The address of one upload or download of ours, which is good for whoever knows it."""
_LOOSE = re.compile(
    r'("(?:idTag|parentIdTag|idToken|value|attributeValue|password)"\s*:\s*)"(?:[^"\\]|\\.)*"?'
)
_LOOSE_LENGTH = 500


def card(text: str) -> str:
    """A card's number by its last characters."""
    return f"…{text[-4:]}" if len(text) > 6 else "…"


def kept(content: object) -> str:
    """A payload as JSON text, bounded."""
    text = orjson.dumps(_shown(content, "")).decode()
    return text if len(text) <= MAX_BYTES else f"{text[:MAX_BYTES]}… ({len(text)} characters)"


def kept_unread(frame: str | bytes) -> str:
    """The beginning of a frame that is no message."""
    text = frame.decode("utf-8", "replace") if isinstance(frame, bytes) else frame
    return _LOOSE.sub(rf'\1"{REDACTED}"', text[:_LOOSE_LENGTH])


def _shown(value: object, name: str) -> object:
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, list):
        return [_shown(one, name) for one in value]
    if name in _CARDS and isinstance(value, (str, int)):
        return card(str(value))
    if isinstance(value, str):
        if _SECRETS.search(name):
            return REDACTED
        if name in _URLS and "://" in value:
            return _TRANSFER.sub(rf"\1{REDACTED}", bare_url(value))
    return value


def _object(given: Mapping[str, object]) -> JsonObject:
    """A configuration key's value is as secret as its name."""
    out: JsonObject = {str(key): _shown(value, str(key)) for key, value in given.items()}
    variable = given.get("variable")
    names = [given.get("key"), variable.get("name") if isinstance(variable, Mapping) else None]
    if any(isinstance(name, str) and _SECRETS.search(name) for name in names):
        for field in ("value", "attributeValue"):
            if field in out:
                out[field] = REDACTED
    return out
