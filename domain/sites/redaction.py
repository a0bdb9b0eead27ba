"""Metadata as the operator is shown it: all of it, but for what looks like a secret.

Whoever looks over the operator's shoulder, or at a screenshot, learns no password. Hosts and
addresses stay: the operator looks for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from db_interface.json_data import JsonObject
from domain.sites.public import SECRET_VALUE

REDACTED = "(not shown)"
_DEEPEST = 16
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset(
    [
        *("key", "pin", "puk", "psk", "pw", "psw", "pwd", "pass", "auth", "pem", "jwt", "salt"),
        *("code", "pincode", "bearer", "cookie", "private", "signature", "wifi", "wlan", "apn"),
        *("community", "iban", "login"),
    ]
)
_SECRET_PARTS = re.compile(
    r"passw|passphrase|secret|token|credential|apikey|privatekey|authori[sz]ation|certificate"
)
_IN_TEXT = re.compile(r"\b(?:passw|pwd|pin\b|secret|login\b)", re.IGNORECASE)


def redacted_metadata(metadata: object) -> JsonObject:
    """The metadata with its secrets replaced; anything but an object gives {}."""
    return _object(metadata, 0) if isinstance(metadata, Mapping) else {}


def _object(value: Mapping[Any, Any], depth: int) -> JsonObject:
    return {
        str(key): REDACTED if _is_secret_key(str(key)) else _value(item, depth + 1)
        for key, item in value.items()
    }


def _value(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return REDACTED
    if isinstance(value, Mapping):
        return _object(value, depth)
    if isinstance(value, list):
        return [_value(item, depth + 1) for item in value]
    if isinstance(value, str) and (SECRET_VALUE.search(value) or _IN_TEXT.search(value)):
        return REDACTED
    return value


def _is_secret_key(key: str) -> bool:
    folded = re.sub(r"[^a-z0-9]", "", key.lower())
    if _SECRET_PARTS.search(folded):
        return True
    words = {word.lower() for word in _WORD.findall(key)}
    # "postal_code" and its like are none.
    return bool(words & _SECRET_WORDS) and folded not in ("postalcode", "countrycode")
