"""What is kept of an exchange may be read by whoever may see exchanges, and sent to a partner: so
no token, password or key is in it, and of drivers' cards only the last characters. Pure.

Judged by the names of fields as the audit log is (domain/audit/redaction.py), and by the tokens
of the exchange themselves, wherever somebody repeats them. Of headers only those are kept that
are known to hold no secret. A body that is not read as JSON is redacted as text; one of the
credentials module is then not kept at all.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlencode

import orjson

from domain.audit.redaction import REDACTED, bare_url, is_card, is_secret

NOT_KEPT = "(not kept)"
MIN_SECRET = 6
"""A shorter text is no token, and would be found everywhere."""
_KEPT_HEADERS = frozenset(
    b"host content-type content-length content-encoding transfer-encoding user-agent accept "
    b"accept-encoding connection date server allow retry-after www-authenticate cache-control "
    b"etag last-modified vary x-request-id x-correlation-id x-total-count x-limit traceparent "
    b"ocpi-from-country-code ocpi-from-party-id ocpi-to-country-code ocpi-to-party-id".split()
)
_URL_HEADERS = frozenset((b"link", b"location"))
_IN_LINK = re.compile(r"<([^>]*)>")
_KEPT_QUERY = frozenset(("offset", "limit", "date_from", "date_to", "type", "duration", "cursor"))
_HARMLESS = re.compile(
    r"[^?@#]*(?:\?(?:(?:offset|limit|date_from|date_to|type|duration|cursor)=[\w.:%+-]*(?:&|$))*)?"
)
_PERSONAL = frozenset(("auth_id", "signed_data", "plain_data", "eft_data", "driver_id"))
_EVSE_HAS = frozenset(
    ("evse_id", "connectors", "status", "capabilities", "coordinates", "physical_reference")
)
_UIDS_OF_EVSES = ("locations", "tariffs")
"""Where `uid` names no card."""
_AS_TEXT = re.compile(
    r'"((?:[\w-]*(?:token|secret|password|credential|hash)[\w-]*)|(?:\w+_)?keys?|totp|cookie'
    r"|uid|contract_id|visual_number|group_id|authorization_reference|auth_id|driver_id"
    r'|signed_data|plain_data|eft_data|\w*url)"\s*:\s*"((?:\\.|[^"\\])*)',
    re.I,
)
_ESCAPED = re.compile(r"\\u00([2-7][0-9a-fA-F])")


class Holds(Enum):
    """What a field holds, as far as its name tells."""

    ANYTHING = 0
    A_CARD = 1
    A_SECRET = 2
    A_URL = 3


_HOLDS_MORE = (dict, list)
_MAX_KNOWN_NAME = 50
"""Longer names are none of OCPI's, and not remembered."""


def holds(name: str) -> Holds:
    return _holds_known(name) if len(name) <= _MAX_KNOWN_NAME else _holds(name)


def _holds(name: str) -> Holds:
    if name in _PERSONAL or is_card(name):
        return Holds.A_CARD
    if is_secret(name):
        return Holds.A_SECRET
    return Holds.A_URL if name.lower().endswith("url") else Holds.ANYTHING


# The same few names are in every body, and to judge one takes longer than to read its field.
_holds_known = lru_cache(maxsize=2048)(_holds)


HIDDEN_BEFORE = "…"
"""Stands for the beginning of a card."""


def ending(text: str) -> str:
    """Of a card what is needed to recognise it."""
    return f"{HIDDEN_BEFORE}{text[-4:]}" if len(text) > 6 else HIDDEN_BEFORE


@lru_cache(maxsize=1024)
def secrets_in(authorization: str) -> tuple[str, ...]:
    """The token of an Authorization header: as it is there, in Base64, and out of it."""
    given = authorization.rpartition(" ")[2]
    if len(given) < MIN_SECRET:
        return ()
    found = [given, base64.b64encode(given.encode("utf-8", "replace")).decode()]
    with contextlib.suppress(binascii.Error, ValueError):
        found.append(base64.b64decode(given, validate=True).decode())
    return tuple(one for one in found if len(one) >= MIN_SECRET)


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with none of the secrets in it."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, REDACTED)
    return text


def shown_head(headers: Iterable[tuple[bytes, bytes]], secrets: Iterable[str]) -> str:
    """A line for each header."""
    return without("\n".join([_line(name, value) for name, value in headers]), secrets)


@lru_cache(maxsize=2048)
def _line(name: bytes, value: bytes) -> str:
    known, told = name.lower(), name.decode("latin-1")
    if known in _KEPT_HEADERS:
        text = value[:1000].decode("latin-1")
        if not text.isprintable():
            text = "".join(sign if sign.isprintable() else " " for sign in text)
        return f"{told}: {text}"
    if known in _URL_HEADERS:
        text = value[:2000].decode("latin-1")
        if known == b"link":
            return f"{told}: {_IN_LINK.sub(lambda found: f'<{shown_url(found[1])}>', text)}"
        return f"{told}: {shown_url(text)}"
    if known == b"authorization":
        kind, blank, _ = value.partition(b" ")
        return f"{told}: {kind.decode('latin-1') + ' ' if blank else ''}{REDACTED}"
    return f"{told}: {NOT_KEPT}"


def shown_url(url: str) -> str:
    """A URL (or the path and query of one): no login in it, of the query what OCPI has there."""
    if _HARMLESS.fullmatch(url):
        return url
    place, mark, query = url.partition("?")
    if "@" in place:
        scheme, slashes, rest = place.rpartition("//")
        login, at, host = rest.partition("@")
        if "/" not in login:
            place = f"{scheme}{slashes}{host}" if at else place
    if not mark:
        return place
    shown = [
        (name, value if name in _KEPT_QUERY else REDACTED)
        for name, value in parse_qsl(query.partition("#")[0], keep_blank_values=True)
    ]
    return f"{place}?{urlencode(shown, quote_via=quote, safe=':()')}"


def without_card_in_path(url: str, cards: Iterable[str]) -> str:
    """The URL with each of these cards' numbers down to its last characters."""
    path, mark, query = url.partition("?")
    hidden = {card.lower() for card in cards}
    segments = [
        quote(ending(unquote(part))) if unquote(part).lower() in hidden else part
        for part in path.split("/")
    ]
    return "/".join(segments) + mark + query


class Body:
    """A body as it may be kept; `cards` are those that were in it, whole."""

    def __init__(self, module: str, secrets: Iterable[str]) -> None:
        self._module = module
        self._secrets = list(secrets)
        self.cards: list[str] = []

    def of_data(self, data: object) -> str:
        """Of what was read as JSON."""
        if self._module == "credentials":
            data = _with_an_object(data)
        text = orjson.dumps(self._shown(data, "", {}), option=orjson.OPT_NON_STR_KEYS).decode()
        return without(text, self._secrets)

    def of_text(self, text: str) -> str:
        """Of a beginning, or of what is no JSON."""
        if self._module == "credentials":
            return NOT_KEPT
        if "\\u00" in text:  # names and tokens can be written so that nobody finds them
            text = _ESCAPED.sub(lambda found: _sign(found[1]), text)
        return without(_AS_TEXT.sub(self._field, text), self._secrets)

    def _shown(self, value: object, name: str, beside: Mapping[str, object]) -> object:
        if isinstance(value, dict):
            return {
                key: self._shown(inner, key, value)
                if isinstance(inner, _HOLDS_MORE) or holds(key) is not Holds.ANYTHING
                else inner
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self._shown(inner, name, beside) for inner in value]
        if value is None or isinstance(value, bool):
            return value
        of_that_name = holds(name)
        if of_that_name is Holds.A_CARD:
            return self._card(name, str(value), beside)
        if of_that_name is Holds.A_SECRET:
            # Wherever else the body repeats it, as in a URL.
            if isinstance(value, str) and len(value) >= MIN_SECRET:
                self._secrets.append(value)
            return REDACTED
        if of_that_name is Holds.A_URL and isinstance(value, str):
            return bare_url(value)
        return value

    def _card(self, name: str, value: str, beside: Mapping[str, object]) -> str:
        if name == "uid":
            if self._module in _UIDS_OF_EVSES or _EVSE_HAS & beside.keys():
                return value
            self.cards.append(value)
        return REDACTED if name in ("signed_data", "plain_data", "eft_data") else ending(value)

    def _field(self, found: re.Match[str]) -> str:
        name, value = found[1], found[2]
        key = name.lower()
        if key == "uid" and self._module in _UIDS_OF_EVSES:
            return found[0]
        if key in _PERSONAL or is_card(key):
            said = self._card(key, value, {})
        elif key.endswith("url"):
            said = bare_url(value)
        elif is_secret(key):
            said = REDACTED
        else:
            return found[0]
        return found[0][: found.start(2) - found.start()] + said


def _with_an_object(data: object) -> object:
    """Of the credentials module only objects are kept, whose fields have names to judge by."""
    if not isinstance(data, dict):
        return NOT_KEPT
    inner = data.get("data")
    return data if inner is None or isinstance(inner, dict) else {**data, "data": REDACTED}


def _sign(code: str) -> str:
    sign = chr(int(code, 16))
    return sign if sign not in '"\\' else f"\\{sign}"
