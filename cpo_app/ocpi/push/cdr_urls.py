"""Where a peer may show a CDR that it was sent.

The text leaves that URL to the peer and only tells it in the answer to the POST: where that was
lost it is taken from how the peer has built the last one, else from the usual two ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from cpo_app.ocpi.push.addressing import object_url, owner_of
from db_interface.database import Database
from db_interface.json_data import JsonMapping
from domain.outbox.deliveries import usual_location


async def cdr_urls(db: Database, peer_id: str, endpoint: str, cdr: JsonMapping) -> list[str]:
    cdr_id = cdr["id"]
    usual = await usual_location(db, peer_id)
    # Our token goes to where the peer has registered, whatever a Location header said.
    if usual is not None and _place(usual[1]) == _place(endpoint):
        last_id, last_url = usual
        return [last_url[: -len(last_id)] + quote(cdr_id, safe="")]
    return [object_url(endpoint, cdr_id), object_url(endpoint, *owner_of(cdr), cdr_id)]


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def is_cdr(data: Any, cdr_id: str) -> bool:
    return isinstance(data, Mapping) and str(data.get("id", "")).lower() == cdr_id.lower()
