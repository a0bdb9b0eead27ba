"""What the audit log may repeat of a change: never a secret, never a driver's card. Pure.

Judged by the names of fields, whatever is in them: a new secret has a name of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from urllib.parse import urlsplit

import orjson

from domain.times import format_datetime

REDACTED = "(redacted)"
MAX_TEXT = 500
MAX_BYTES = 20_000
_SECRET = re.compile(
    r"token|secret|password|credential|hash|(^|_)key$|_keys$|totp|cookie|webhooks$", re.I
)
_NO_SECRET = frozenset({"public_key", "token_type", "ask_unknown", "raw_token", "token_version"})
_CARD = re.compile(r"^(uid|contract_id|visual_number|group_id|authorization_reference)$")
_URL = re.compile(r"url$", re.I)


def as_json(value: object) -> str | None:
    """The value as JSON with its secrets redacted, in one canonical form; None for None."""
    if value is None:
        return None
    text = orjson.dumps(shown(value), option=orjson.OPT_SORT_KEYS)
    if len(text) > MAX_BYTES:
        return orjson.dumps(f"({len(text)} bytes: too long to repeat)").decode()
    return text.decode()


def shown(value: object, name: str = "") -> object:
    """The value as it may be repeated, of a field of that name."""
    last = name.rpartition(".")[2]
    if isinstance(value, bool) or value is None:
        return value
    if is_secret(last) or is_card(last):
        return REDACTED
    if isinstance(value, Mapping):
        return {str(key): shown(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [shown(item, name) for item in items]
    if isinstance(value, bytes):
        return REDACTED
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, datetime):
        return format_datetime(value)
    text = str(value.value if isinstance(value, Enum) else value)
    text = bare_url(text) if _URL.search(last) else text
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def is_secret(name: str) -> bool:
    """Whether a field of that name holds what nobody may read."""
    return name not in _NO_SECRET and _SECRET.search(name) is not None


def is_card(name: str) -> bool:
    """Whether a field of that name says which card, or driver, it is."""
    return _CARD.search(name) is not None


def bare_url(url: str) -> str:
    """A URL without what may be a secret in it: user, password, query."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(not a URL)"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
