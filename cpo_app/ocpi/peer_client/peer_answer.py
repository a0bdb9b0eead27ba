"""What a peer answered, and what can go wrong on the way to an answer.

`PeerAnswer` is the plain HTTP answer; `envelope()` reads it as OCPI. `PeerUnusable` is the one
error of everything outgoing: a short reason for the operator, and whether the peer may have
acted on the request. Neither ever shows a token: what a peer echoes is cleaned first.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timezone
from typing import Any, Literal
from urllib.parse import urljoin

import orjson

from cpo_app.links import parse_next
from domain.times import utc_now

Kind = Literal[
    "refused_url",
    "unreachable",
    "tls",
    "timeout",
    "too_large",
    "broken_answer",
    "redirect",
    "http_status",
    "not_json",
    "not_ocpi",
    "ocpi_status",
]

# A peer cannot silence us for longer than this with one Retry-After.
MAX_RETRY_AFTER_S = 86_400.0
_MAX_MESSAGE = 255


class PeerUnusable(Exception):
    """A request that did not bring a usable OCPI answer.

    reason        short, for operators and status messages; no token, no URL, no body
    kind          the same as a word, for metrics and decisions
    sent          False: the peer did not act on it, it may be sent again (it was never sent
                  in full, or the peer answered 3xx or 4xx). None: unclear (the answer was lost,
                  cut off, too large, or 5xx). True: it answered 2xx in full; ocpi_status_code
                  says how it decided, and if that is None, only a look at the peer can tell.
    http_status, ocpi_status_code, status_message, retry_after_s
                  what is known of the answer, None if nothing
    """

    def __init__(
        self,
        reason: str,
        kind: Kind,
        *,
        sent: bool | None,
        http_status: int | None = None,
        ocpi_status_code: int | None = None,
        status_message: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind: Kind = kind
        self.sent = sent
        self.http_status = http_status
        self.ocpi_status_code = ocpi_status_code
        self.status_message = status_message
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Envelope:
    """The response format of transport_and_format; `data` is None if it was left out."""

    data: Any
    status_code: int
    status_message: str | None
    timestamp: str | None


@dataclass(frozen=True)
class PeerAnswer:
    """A complete HTTP answer of any status, its body decompressed.

    Header names are in lower case; repeated headers are joined by ", ". `url` is the one that
    answered (after redirects). `secrets` are the texts that must not pass on.
    """

    http_status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def next_url(self) -> str | None:
        """The absolute URL of the next page, if the Link header names one."""
        return self._absolute(parse_next(self.headers.get("link")))

    @property
    def location(self) -> str | None:
        """The absolute URL of the Location header (the CDR's URL after its POST). It has been
        judged by nobody: it goes through the guard when it is fetched."""
        return self._absolute(self.headers.get("location"))

    @property
    def retry_after_s(self) -> float | None:
        """Seconds to wait by the Retry-After header (either form), 0 to one day."""
        return _retry_after_s(self.headers.get("retry-after"))

    def count_header(self, name: str) -> int | None:
        """A header that holds a number, like X-Limit or X-Total-Count; None if it does not."""
        text = self.headers.get(name.lower(), "").strip()
        return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None

    def envelope(self) -> Envelope:
        """The answer as OCPI, whatever its status_code says. Raises PeerUnusable of the kinds
        http_status, not_json and not_ocpi."""
        if not 200 <= self.http_status <= 299:
            code, message = None, None
            try:
                inner = self._parse()
                code, message = inner.status_code, inner.status_message
            except PeerUnusable:
                pass  # an error body may be anything
            reason = f"the peer answered HTTP {self.http_status}"
            if code is not None:
                reason += f" with OCPI status {code}"
            raise PeerUnusable(
                reason,
                "http_status",
                sent=False if 300 <= self.http_status <= 499 else None,
                http_status=self.http_status,
                ocpi_status_code=code,
                status_message=message,
                retry_after_s=self.retry_after_s,
            )
        return self._parse()

    def data(self) -> Any:
        """The data of a success (status_code 1xxx). Raises PeerUnusable as `envelope` does,
        and of the kind ocpi_status if the peer's status_code is an error."""
        envelope = self.envelope()
        if not 1000 <= envelope.status_code <= 1999:
            raise PeerUnusable(
                f"the peer answered OCPI status {envelope.status_code}",
                "ocpi_status",
                sent=True,
                http_status=self.http_status,
                ocpi_status_code=envelope.status_code,
                status_message=envelope.status_message,
                retry_after_s=self.retry_after_s,
            )
        return envelope.data

    def _parse(self) -> Envelope:
        try:
            parsed = orjson.loads(self.body.removeprefix(b"\xef\xbb\xbf"))
        except orjson.JSONDecodeError:
            raise self._unusable("the peer's answer is not JSON", "not_json") from None
        if not isinstance(parsed, dict):
            raise self._unusable("the peer's answer is not an OCPI envelope", "not_ocpi")
        code = parsed.get("status_code")
        if type(code) is not int or not 1000 <= code <= 4999:
            raise self._unusable("the peer's answer has no OCPI status_code", "not_ocpi")
        timestamp = parsed.get("timestamp")
        return Envelope(
            data=parsed.get("data"),
            status_code=code,
            status_message=self._clean(parsed.get("status_message")),
            timestamp=timestamp if isinstance(timestamp, str) else None,
        )

    def _unusable(self, reason: str, kind: Kind) -> PeerUnusable:
        return PeerUnusable(reason, kind, sent=True, http_status=self.http_status)

    def _clean(self, message: object) -> str | None:
        """A peer's text fit for logs and pages: no secrets, no control characters, not long."""
        if not isinstance(message, str):
            return None
        for secret in filter(None, self.secrets):
            message = message.replace(secret, "***")
        return "".join(c if c.isprintable() else " " for c in message)[:_MAX_MESSAGE]

    def _absolute(self, reference: str | None) -> str | None:
        if not reference:
            return None
        try:
            return urljoin(self.url, reference.strip())
        except ValueError:
            return None


def _retry_after_s(header: str | None) -> float | None:
    text = (header or "").strip()
    if not text:
        return None
    if re.fullmatch(r"[0-9]+", text):
        return min(float(text[:9]), MAX_RETRY_AFTER_S)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    seconds = (when - utc_now()).total_seconds()
    return min(max(0.0, seconds), MAX_RETRY_AFTER_S)
