"""The letter to whoever is invited, out of the settings and the peer's document."""

from __future__ import annotations

from cpo_app.settings import Settings
from db_interface.json_data import JsonMapping
from domain.peers import required_modules
from domain.peers.claims import shown
from domain.peers.invitation_letter import Invited, letter
from domain.peers.offered_versions import offered_to
from domain.peers.peer import quirks_of
from domain.peers.peer_document import PeerDocument
from domain.peers.terms import Terms


def letter_to(settings: Settings, peer: PeerDocument, token: str) -> str:
    named = [text.strip() for text in settings.CPO_OCPI_VERSIONS.split(",") if text.strip()]
    rules: JsonMapping = peer.get("settings") or {}
    until = [entry["until"] for entry in peer.get("token_hashes", ()) if "until" in entry]
    return letter(
        Invited(
            name=peer["name"],
            ours=settings.parties[0].name,
            our_parties=[f"{one.country_code}/{one.party_id}" for one in settings.parties],
            versions_url=settings.versions_url,
            token=token,
            until=max(until, default=None),
            versions=offered_to(rules, named),
            docs_url=f"{settings.base_url}/{settings.OCPI_PREFIX}/docs",
            raw_token=bool(quirks_of(peer)["raw_token"]),
            parties=[shown(party) for party in Terms.of(peer.get("terms")).parties],
            modules=required_modules.modules_required_of(peer),
        )
    )
