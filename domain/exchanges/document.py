"""An exchange's document out of what was seen of it: bodies read, redacted, bounded. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import unquote

import orjson

from domain.exchanges.exchange import (
    MODULES,
    Content,
    Direction,
    Exchange,
    Outcome,
    Part,
    Seen,
    new_id,
    outcome_of,
)
from domain.exchanges.redaction import (
    Body,
    ending,
    shown_head,
    shown_url,
    without,
    without_card_in_path,
)
from domain.exchanges.search_keys import keys_of

WHOLE_BYTES = 200_000
"""A longer body is not read as JSON."""
MAX_URL = 2000
_MODULE_OF = {
    **{name: name for name in MODULES},
    "details": "versions",
    "clientinfo": "hubclientinfo",
}
_STATUS = re.compile(rb'"status_code"\s*:\s*([0-9]{4})(?![0-9])')
_VERSION = re.compile(r"v?[0-9](\.[0-9]){1,2}")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_NO_ID = re.compile(r"[A-Z_]{4,}|authorize|charging_preferences|[0-9.]{1,5}")
_ID_FIELDS = ("id", "location_id", "evse_uid", "session_id", "reservation_id", "cdr_id")
_WITHOUT_OBJECTS = ("credentials", "versions", "other")
_PUBLIC = ("locations", "tariffs", "hubclientinfo", "versions")
"""Our answers in these hold no card, and nothing that the peer may not pass on."""


@dataclass(frozen=True)
class Bounds:
    """Bytes that are kept of a body, and of a page of objects."""

    body: int
    page: int


class Maker:
    """`digest` is the keyed hash that a card is found by."""

    def __init__(self, bounds: Bounds, digest: Callable[[str], str]) -> None:
        self._bounds = bounds
        self._digest = digest

    def document(self, seen: Seen, at: datetime) -> Exchange:
        in_url, segments = place_in(seen.url)
        module = _MODULE_OF.get(seen.subject.module or in_url, "other")
        requested, answered = Body(module, seen.secrets), Body(module, seen.secrets)
        request, sent = self._part(seen, seen.request, seen.request_headers, requested)
        response, said = self._part(seen, seen.response, seen.response_headers, answered)
        ocpi_status = _ocpi_status(seen.response, said)
        cards, named = requested.cards, list(seen.subject.objects)
        if module == "tokens":
            cards = [*cards, *named, *(one for one in segments[:1] if one != "authorize")]
            cards += [] if seen.is_page else answered.cards
            named = []
        elif module not in _WITHOUT_OBJECTS:
            named += [one for one in segments if not _NO_ID.fullmatch(one)]
            named += _ids_in(sent)
        outcome = outcome_of(seen.status, ocpi_status)
        cards = list(dict.fromkeys(card.lower() for card in cards))[:3]
        url = without(without_card_in_path(shown_url(seen.url), cards), seen.secrets)[:MAX_URL]
        return {
            "_id": new_id(at),
            "at": at,
            "took_ms": round(seen.took_s * 1000, 1),
            "direction": seen.direction.value,
            "peer_id": seen.subject.peer_id,
            "address": seen.address,
            "module": module,
            "version": seen.subject.version,
            "method": seen.method[:10],
            "url": url,
            "status": seen.status,
            "ocpi_status": ocpi_status,
            "outcome": outcome.value,
            "error": seen.error,
            "request_id": seen.request_id,
            "correlation_id": seen.correlation_id,
            "objects": list(dict.fromkeys([*named, *map(ending, cards)])),
            "request": request,
            "response": response,
            "keys": keys_of(
                seen.direction,
                seen.subject.peer_id,
                module,
                _statuses(outcome, seen.status, ocpi_status),
                (*filter(None, (seen.correlation_id, seen.request_id)), *seen.also, *named),
                (self._digest(card) for card in cards),
            ),
        }

    def _part(
        self, seen: Seen, content: Content, headers: Iterable[tuple[bytes, bytes]], body: Body
    ) -> tuple[Part, object]:
        """What is kept of a request or an answer, and what it says, where that was read."""
        part: Part = {"head": shown_head(headers, seen.secrets), "size": content.length}
        if not content.start:
            return part, None
        is_answer = content is seen.response
        is_page = seen.is_page and is_answer
        most = self._bounds.page if is_page else self._bounds.body
        whole = content.length == len(content.start) <= WHOLE_BYTES
        if whole and not is_page:
            try:
                data: object = orjson.loads(content.start)
            except orjson.JSONDecodeError:
                data = None
            if data is not None:
                text = body.of_data(data)
                part["body"], part["cut"] = text[:most], len(text) > most
                return part, data
        text = content.start[:most].decode("utf-8", "replace")
        part["cut"] = content.length > most
        ours = (
            is_page
            and seen.direction is Direction.IN
            and _MODULE_OF.get(place_in(seen.url)[0]) in _PUBLIC
        )
        part["body"] = text if ours else body.of_text(text)
        return part, None


def place_in(url: str) -> tuple[str, list[str]]:
    """The module that a URL names ("" for none), and the segments behind it that are no party. It
    stands behind the version, where there is one."""
    return _place_of(url.partition("?")[0])


@lru_cache(maxsize=1024)
def _place_of(path: str) -> tuple[str, list[str]]:
    parts = [unquote(part) for part in path.split("/") if part]
    versions = [index for index, part in enumerate(parts) if _VERSION.fullmatch(part)]
    for index in range(versions[0] + 1 if versions else 0, len(parts)):
        if parts[index].lower() in _MODULE_OF:
            rest = parts[index + 1 :]
            if len(rest) >= 2 and _COUNTRY.fullmatch(rest[0]) and len(rest[1]) == 3:
                rest = rest[2:]
            return parts[index].lower(), rest
    return "", []


def _ids_in(data: object) -> list[str]:
    if not isinstance(data, dict):
        return []
    return [data[name] for name in _ID_FIELDS if isinstance(data.get(name), str)]


def _ocpi_status(content: Content, data: object) -> int | None:
    if isinstance(data, dict):
        code = data.get("status_code")
        return code if type(code) is int and 0 <= code <= 9999 else None
    found = _STATUS.findall(content.tail) or _STATUS.findall(content.start[:1000])
    return int(found[-1]) if found else None


def _statuses(outcome: Outcome, status: int | None, ocpi_status: int | None) -> list[object]:
    """What is no success is found by its status, too."""
    if outcome is Outcome.OK:
        return []
    codes: list[object] = [code for code in (status, ocpi_status) if code and not is_success(code)]
    return [outcome.value, *codes]


def is_success(code: int) -> bool:
    return 200 <= code <= 299 or 1000 <= code <= 1999
