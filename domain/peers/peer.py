"""A peer as it is now: who it is, what it offers, and how it differs from the specification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from db_interface.json_data import JsonMapping, JsonObject
from domain.peers.peer_document import (
    EndpointRow,
    PeerDocument,
    PeerError,
)
from domain.peers.terms import HUB, Terms
from domain.versions import INNER_VERSION, OcpiVersion, version_of
from domain.versions import Party as NamedParty
from domain.visibility import party_of

DEFAULT_QUIRKS: JsonObject = {
    "raw_token": False,
    "no_patch": False,
    "page_size": None,
    "ignore_routing": False,
}
"""How a peer may differ from the specification: it does not Base64-encode tokens, it takes no
PATCH, its lists have pages of that size at most, its routing headers mean nothing (it sends one
party as both). Each has its reader; a test asks for it."""


def quirks_of(document: PeerDocument | JsonMapping) -> JsonObject:
    """All quirks with the peer's values; one that is no more is left out."""
    noted = document.get("quirks") or {}
    return {name: noted.get(name, value) for name, value in DEFAULT_QUIRKS.items()}


@dataclass(frozen=True)
class Peer:
    """A peer as it is now; a value, not a connection."""

    peer_id: str
    name: str
    status: str
    roles: Sequence[JsonMapping] = ()
    """those of its credentials that are granted"""
    waiting: Sequence[JsonMapping] = ()
    """those that wait for the operator's yes"""
    endpoints: Sequence[EndpointRow] = ()
    versions_url: str | None = None
    version: str | None = None
    version_url: str | None = None
    quirks: JsonMapping = field(default_factory=lambda: dict(DEFAULT_QUIRKS))
    settings: JsonMapping = field(default_factory=dict)
    last_seen: datetime | None = None
    last_error: PeerError | None = None
    created: datetime | None = None
    document: PeerDocument = field(default_factory=PeerDocument, repr=False, compare=False)

    @property
    def parties(self) -> list[str]:
        """Folded keys of the parties that it is, by its claims: ["de*tnm"]."""
        return self.document.get("parties") or []

    @property
    def audiences(self) -> list[str]:
        """What its claims open to it."""
        return self.document.get("audiences") or []

    @property
    def terms(self) -> Terms:
        return Terms.of(self.document.get("terms"))

    @property
    def is_hub(self) -> bool:
        return any(role.get("role") == HUB for role in self.roles)

    @cached_property
    def clients(self) -> list[str]:
        """A hub's: the folded parties that it speaks for besides its own."""
        return sorted({*map(party_of, self.client_audiences)})

    @property
    def client_audiences(self) -> list[str]:
        """A hub's: what its clients open to it."""
        return self.document.get("client_audiences") or []

    @property
    def speaks_for(self) -> list[str]:
        """All folded parties in whose name it may come: its own first."""
        return [*self.parties, *self.clients]

    @property
    def has_one_token(self) -> bool:
        """Whether no rotation or registration is under way."""
        return len(self.document.get("token_hashes", ())) == 1

    @property
    def form(self) -> OcpiVersion:
        """The OCPI version that we speak with it."""
        return version_of(self.version or "") or INNER_VERSION

    @property
    def takes_raw_tokens(self) -> bool:
        """Whether the token that we present goes as it is, in the version that we speak."""
        return self.takes_raw_tokens_in(self.form)

    def takes_raw_tokens_in(self, form: OcpiVersion) -> bool:
        """The same in any version: by its text, or by the peer's quirk."""
        return bool(self.quirks.get("raw_token")) or not form.description.encodes_tokens

    @property
    def one_party(self) -> NamedParty | None:
        """Whose its objects are in a version in which they do not say it: a peer is one party."""
        if not self.roles or self.form.description.has_parties:
            return None
        return NamedParty(self.roles[0]["country_code"], self.roles[0]["party_id"])

    def endpoint(self, module: str, interface_role: str) -> str | None:
        """Its URL for that module's SENDER or RECEIVER interface, or None."""
        for row in self.endpoints:
            if row["identifier"] == module and row["role"] == interface_role:
                return row["url"]
        return None

    @classmethod
    def of(cls, document: PeerDocument) -> Peer:
        return cls(
            peer_id=document["_id"],
            name=document["name"],
            status=document["status"],
            roles=document.get("roles", ()),
            waiting=document.get("waiting", ()),
            endpoints=document.get("endpoints", ()),
            versions_url=document.get("versions_url"),
            version=document.get("version"),
            version_url=document.get("version_url"),
            quirks=quirks_of(document),
            settings=document.get("settings", {}),
            last_seen=document.get("last_seen"),
            last_error=document.get("last_error"),
            created=document.get("created"),
            document=document,
        )
