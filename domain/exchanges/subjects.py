"""What an outgoing request is about, read out of its URL: peers' endpoints may be anywhere, and
need not name their module. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote

from domain.exchanges.exchange import Subject
from domain.peers.peer import Peer

_COUNTRY = re.compile(r"[A-Za-z]{2}")


def subject_of(peer: Peer, url: str, *objects: str, version: str | None = None) -> Subject:
    """The module whose endpoint the URL lies below, and the ids behind it; `objects` are known
    beside the URL."""
    spoken = version or peer.version
    rows = [row for row in peer.endpoints if url.startswith(row["url"].rstrip("/"))]
    if not rows:
        return Subject(peer.peer_id, None, spoken, objects)
    row = max(rows, key=lambda row: len(row["url"]))
    rest = url[len(row["url"].rstrip("/")) :].partition("?")[0]
    parts = [unquote(part) for part in rest.split("/") if part]
    if len(parts) >= 2 and _COUNTRY.fullmatch(parts[0]) and len(parts[1]) == 3:
        parts = parts[2:]
    parts = [part for part in parts if part != "authorize"]
    return Subject(
        peer.peer_id, row["identifier"], spoken, tuple(dict.fromkeys((*parts, *objects)))
    )
