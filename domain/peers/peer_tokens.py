"""The tokens of ours that open our door to a peer: their entries in its document, each with its
kind (A: an invitation, C: of a handshake) and until when it is good.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from domain.peers.peer_document import TokenHash
from domain.secrets import Vault

ANSWER_LOST_FOR = timedelta(hours=1)
"""For so long a registration whose answer was lost may be asked for again."""


def token_entry(vault: Vault, token: str, kind: str, now: datetime) -> TokenHash:
    """A token as it is kept: hashed, with the key that it was hashed by."""
    return {"hash": vault.digest(token), "kid": vault.kid, "kind": kind, "since": now}


def is_replaced(entry: TokenHash) -> bool:
    """Whether a newer token has taken this one's place, and it only lives on for a while."""
    return bool(entry.get("until")) and not entry.get("offered")


def kind_of(vault: Vault, entries: Sequence[TokenHash], token: str) -> str | None:
    digests = vault.digests(token)
    return next((entry["kind"] for entry in entries if entry["hash"] in digests), None)


def after_handshake(
    held: Sequence[TokenHash], ours: TokenHash, *, grace_s: float, now: datetime
) -> list[TokenHash]:
    """`ours`, and behind it for `grace_s` the functional ones that it replaces."""
    until = now + timedelta(seconds=grace_s)
    kept = [
        _lasting(entry, until)
        for entry in held
        if grace_s and entry["kind"] == "C" and (entry.get("until") or until) > now
    ]
    return [*(entry for entry in kept if entry["hash"] != ours["hash"]), ours]


def used_invitations(
    held: Sequence[TokenHash], shown: Collection[str], now: datetime
) -> list[TokenHash]:
    """Those among the hashes that the peer has shown, while their answer may be lost."""
    return [
        _lasting(entry, now + ANSWER_LOST_FOR)
        for entry in held
        if entry["kind"] == "A" and entry["hash"] in shown
    ]


def _lasting(entry: TokenHash, until: datetime) -> TokenHash:
    """A token that was in use, for as long as the one that takes its place may need."""
    return {
        "hash": entry["hash"],
        "kid": entry.get("kid", ""),
        "kind": entry["kind"],
        "since": entry["since"],
        "until": min(entry.get("until") or until, until),
    }
