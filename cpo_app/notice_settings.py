"""Who is told of trouble, as the settings say it: webhooks and mail. No message holds a secret.

Shared: the settings are checked with it at start, and the notices are told by it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

MIN_SECRET_LENGTH = 24
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[A-Za-z0-9.-]+")
MAIL = "mail"
"""The id of mail as a target."""
_SMTP_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class WebhookSetting:
    url: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def id(self) -> str:
        """The host, and what tells two of one host apart: the rest of a URL may be a secret."""
        mark = hashlib.sha256(self.url.encode()).hexdigest()[:8]
        return f"webhook {urlsplit(self.url).hostname} {mark}"


@dataclass(frozen=True)
class SmtpServer:
    """`tls`: from the first byte; else by STARTTLS, if the server has it."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)


class NoticeSettings(Protocol):
    """What of the settings says it."""

    CPO_WEBHOOKS: str
    CPO_SMTP_URL: str


def target_ids(settings: NoticeSettings) -> list[str]:
    """Of all who are told, as deliveries name them."""
    webhooks = [setting.id for setting in parse_webhooks(settings.CPO_WEBHOOKS)]
    return webhooks + ([MAIL] if settings.CPO_SMTP_URL.strip() else [])


def parse_webhooks(text: str) -> list[WebhookSetting]:
    """`URL SECRET, URL SECRET` or a JSON list of {"url", "secret"}. Raises ValueError."""
    if not text.strip():
        return []
    if text.lstrip().startswith("["):
        pairs = _json_pairs(text)
    else:
        parts = [entry.split() for entry in text.split(",") if entry.strip()]
        if any(len(part) != 2 for part in parts):
            raise ValueError("each webhook is a URL and a secret, parted by a blank")
        pairs = [(url, secret) for url, secret in parts]
    for number, (url, secret) in enumerate(pairs, 1):
        found = _split(url)
        if found is None or found.scheme not in ("https", "http") or not found.hostname:
            raise ValueError(f"webhook {number}: its URL is not https://host/path")
        if len(secret) < MIN_SECRET_LENGTH:
            raise ValueError(
                f"webhook {number}: its secret has fewer than {MIN_SECRET_LENGTH} characters"
            )
    return list({url: WebhookSetting(url, secret) for url, secret in pairs}.values())


def _json_pairs(text: str) -> list[tuple[str, str]]:
    try:
        rows: object = json.loads(text)
    except ValueError:
        raise ValueError("not a JSON list") from None
    pairs = []
    for row in rows if isinstance(rows, list) else ():
        match row:
            case {"url": str(url), "secret": str(secret)}:
                pairs.append((url, secret))
            case _:
                raise ValueError('each webhook is {"url": "https://...", "secret": "..."}')
    return pairs


def parse_smtp_url(text: str) -> SmtpServer | None:
    """`smtp://USER:PASSWORD@HOST:587` (STARTTLS) or `smtps://...` (TLS). Raises ValueError."""
    if not text.strip():
        return None
    found = _split(text.strip())
    if found is None or found.scheme not in _SMTP_PORTS or not found.hostname:
        raise ValueError("is not smtp://user:password@host:587 or smtps://user:password@host:465")
    return SmtpServer(
        found.hostname,
        found.port or _SMTP_PORTS[found.scheme],
        found.scheme == "smtps",
        unquote(found.username) if found.username else None,
        unquote(found.password) if found.password else None,
    )


def parse_addresses(text: str) -> list[str]:
    """`ops@example.com, night@example.com`. Raises ValueError."""
    addresses = [address.strip() for address in text.split(",") if address.strip()]
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"{address!r} is not a mail address")
    return addresses


def _split(url: str) -> SplitResult | None:
    """None where it cannot be read as a URL with a port."""
    try:
        found = urlsplit(url)
        _ = found.port
    except ValueError:
        return None
    return found
