"""Where a peer may show a CDR that it was sent.

The text leaves that URL to the peer and only tells it in the answer to the POST: where that was
lost it is taken from how the peer has built the last one, else from the usual two ways. Who has
moved to another version of OCPI may have it under the id of the former one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from cpo_app.ocpi.push.addressing import object_url, owner_of
from db_interface.database import Database
from db_interface.json_data import JsonMapping
from domain.outbox.deliveries import usual_location
from domain.peers.peer import Peer
from domain.versions import ids_of_cdr


class CdrPlace(NamedTuple):
    cdr_id: str
    """as the peer has it there"""
    url: str


async def cdr_places(
    db: Database, peer: Peer, endpoint: str, cdr: JsonMapping
) -> Sequence[CdrPlace]:
    """Where the peer may have the CDR (its inner id and owner), the likeliest first."""
    usual = await usual_location(db, peer.peer_id)
    ids = ids_of_cdr(cdr["id"], peer.form)
    # Our token goes to where the peer has registered, whatever a Location header said.
    if usual is not None and _place(usual[1]) == _place(endpoint):
        last_id, last_url = usual
        return [CdrPlace(id_, last_url[: -len(last_id)] + quote(id_, safe="")) for id_ in ids]
    return [
        CdrPlace(id_, url)
        for id_ in ids
        for url in (object_url(endpoint, id_), object_url(endpoint, *owner_of(cdr), id_))
    ]


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def is_cdr(data: Any, cdr_id: str) -> bool:
    return isinstance(data, Mapping) and str(data.get("id", "")).lower() == cdr_id.lower()
