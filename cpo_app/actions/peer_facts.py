"""What all actions on peers share: what is shown of a peer, and what its refusals mean."""

from __future__ import annotations

from cpo_app.actions.peer_parameters import OnePeer
from db_interface.json_data import JsonObject
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.authorization.token_pulls import PullUnderWay
from domain.errors import InvalidParameters, OcpiError
from domain.objects.finding import NotFoundById
from domain.peers.claims import NoClaim, PartyTaken
from domain.peers.peer import Peer
from domain.peers.peer_document import UnknownPeer
from domain.peers.switches import NotPossible
from domain.peers.terms import BadTerms
from domain.secrets import SecretUnusable

REFUSALS: dict[type[Exception], int] = {
    UnknownPeer: 404,
    NotPossible: 409,
    NoClaim: 409,
    PartyTaken: 409,
    PullUnderWay: 409,
    SecretUnusable: 409,
    BadTerms: 422,
    InvalidParameters: 409,
    NotFoundById: 404,
    OcpiError: 424,
}
ALL = "all"
ON_OFF = {True: "on", False: "off"}


def facts(peer: Peer) -> JsonObject:
    """What may be shown of a peer."""
    return {
        "peer_id": peer.peer_id,
        "name": peer.name,
        "status": peer.status,
        "parties": [
            f"{role['country_code']}/{role['party_id']} {role['role']}" for role in peer.roles
        ],
        "waiting": [
            f"{role['country_code']}/{role['party_id']} {role['role']}" for role in peer.waiting
        ],
        "versions_url": peer.versions_url,
        "version": peer.version,
        "endpoints": [dict(row) for row in peer.endpoints],
        "quirks": dict(peer.quirks),
        "settings": dict(peer.settings),
        "created": peer.created,
        "last_seen": peer.last_seen,
        "last_error": peer.last_error,
    }


def about_peer(given: OnePeer) -> tuple[About, ...]:
    return (audit.peer(given.peer_id),)


def marked(given: OnePeer, number: int) -> JsonObject:
    return {"peer_id": given.peer_id, "marked": number}
