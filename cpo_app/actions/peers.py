"""All that is done to peers, of whatever kind; each kind has a file of its own."""

from __future__ import annotations

from cpo_app.actions import peer_offer, peer_parties, peer_registration, peer_service

ACTIONS = (
    *peer_registration.ACTIONS,
    *peer_service.ACTIONS,
    *peer_offer.ACTIONS,
    *peer_parties.ACTIONS,
)
