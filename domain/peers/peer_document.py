"""The collection `peers`: the shape of its documents. Written by the files of this room alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.json_data import JsonObject
from domain.peers.calls import CallDocument
from domain.peers.statuses import REGISTERED
from domain.peers.terms import TermsDocument


class UnknownPeer(KeyError):
    def __str__(self) -> str:
        return f"there is no peer {self.args[0]}"


class TokenHash(TypedDict, total=False):
    """A token of ours that opens our door to the peer: its hash only."""

    hash: str
    kid: str
    """names the key of the hash; none: it was made before keys had names"""
    kind: str
    """A (an invitation) or C"""
    since: datetime
    until: datetime
    """it ends then, at the latest"""
    offered: bool
    """sent to the peer, not yet used by it"""


class EndpointRow(TypedDict):
    identifier: str
    role: str
    url: str


class PeerError(TypedDict):
    at: datetime
    text: str


class PeerDocument(TypedDict, total=False):
    """A document of `peers`. Complete as stored; some readers ask for less."""

    _id: str
    """ "peer-..." """
    name: str
    status: str
    """see statuses.py"""
    missed: bool
    """it was blocked, and has not been sent what it missed (switches.py)"""
    settings: JsonObject
    """{narrowed}: True, it sees published locations only; {requires}: fields without which it is
    offered no location; {groups}: the only groups of locations that it is given;
    {modules}: what it has to offer in a handshake; {versions}: the only versions of OCPI that it
    is offered (offered_versions.py)"""
    token_hashes: list[TokenHash]
    terms: TermsDocument
    """what the operator has granted (terms.py)"""
    roles: list[JsonObject]
    """those of its credentials that are granted"""
    waiting: list[JsonObject]
    """those that wait for the operator's yes"""
    parties: list[str]
    """folded keys of its granted roles, to be found by"""
    audiences: list[str]
    """what its claims open to it (claims.py), to be found by when something is pushed"""
    client_audiences: list[str]
    """a hub's: what is for its clients and therefore open to it (hub_clients.py)"""
    their_token: bytes
    """sealed; what we present to them (token B)"""
    call: CallDocument
    """our registration with it, while it is under way (calls.py)"""
    versions_url: str
    version: str
    moved_from: list[str]
    """versions that it spoke before, where what that opens and closes is yet to be seen to
    (version_moves.py)"""
    move_owner: str
    """who sees to that"""
    move_until: datetime
    """and by when he has, or somebody else does"""
    version_url: str
    endpoints: list[EndpointRow]
    quirks: JsonObject
    """{raw_token, no_patch, page_size}"""
    failed_handshakes: int
    """in a row, with its invitation"""
    rotation_due: datetime
    """no rotation by calendar is tried before"""
    last_seen: datetime
    last_error: PeerError | None
    created: datetime
    updated: datetime


PEERS: Collection[PeerDocument] = Collection("peers")
_FOR_VISIBILITY = {
    "parties": 1,
    "audiences": 1,
    "client_audiences": 1,
    "status": 1,
    "version": 1,
    "settings.narrowed": 1,
    "settings.requires": 1,
    "settings.groups": 1,
}


async def receivers(
    where: Where, modules: Sequence[str], statuses: Sequence[str], audiences: Iterable[str] | None
) -> list[PeerDocument]:
    """Peers in one of these statuses that take pushes of one of the modules (that one of these
    audiences is open to, if named), as far as visibility knows them, and which they take."""
    query: JsonObject = {
        "status": {"$in": list(statuses)},
        "endpoints": {"$elemMatch": {"identifier": {"$in": list(modules)}, "role": "RECEIVER"}},
    }
    if audiences is not None:
        concerned = {"$in": sorted(audiences)}
        query["$or"] = [{"audiences": concerned}, {"client_audiences": concerned}]
    taken = {"endpoints.identifier": 1, "endpoints.role": 1}
    return await PEERS.of(where).find(query, {**_FOR_VISIBILITY, **taken})


async def given_groups(where: Where) -> list[PeerDocument]:
    """Registered peers that are offered some groups of locations only, as far as visibility knows
    them, and their endpoints."""
    query: JsonObject = {
        "status": {"$in": list(REGISTERED)},
        "settings.groups": {"$exists": True, "$ne": None},
    }
    return await PEERS.of(where).find(query, {**_FOR_VISIBILITY, "endpoints": 1})
