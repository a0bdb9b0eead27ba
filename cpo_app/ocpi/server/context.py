"""What is known of an OCPI request before any router sees it; filled by the gate, and found in the
scope by the layers below it and, when it has answered, by those around it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from starlette.requests import Request
from starlette.types import Scope

from auth.authenticator import Caller
from domain.errors import InvalidParameters, NotAuthorized
from domain.versions import INNER_VERSION, OcpiVersion

SCOPE_KEY = "ocpi"


class PartyId(NamedTuple):
    """A party as a routing header names it, case as written."""

    country_code: str
    party_id: str

    @property
    def key(self) -> str:
        return f"{self.country_code}*{self.party_id}".lower()


class Routing(NamedTuple):
    """The routing headers of a request (OCPI 2.2.1, transport_and_format 4.1.9)."""

    to_party: PartyId | None = None
    from_party: PartyId | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Routing:
        """Raises InvalidParameters when half a party is named."""
        return cls(_party(headers, "to"), _party(headers, "from"))

    def answered(self) -> list[tuple[bytes, bytes]]:
        """The headers of the answer: the two sides swapped."""
        swapped: list[tuple[bytes, bytes]] = []
        for side, party in ((b"to", self.from_party), (b"from", self.to_party)):
            if party is not None:
                swapped += (
                    (b"ocpi-%b-party-id" % side, party.party_id.encode("latin-1")),
                    (b"ocpi-%b-country-code" % side, party.country_code.encode("latin-1")),
                )
        return swapped


NOT_ROUTED = Routing()


@dataclass
class RequestContext:
    """One request: its ids, the party it is for, and who makes it."""

    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    correlation_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    module: str = ""
    """as the path reads; "" where it names none"""
    version: OcpiVersion = INNER_VERSION
    """the one that the URL names; where it names none, the inner one"""
    routing: Routing = NOT_ROUTED
    caller: Caller | None = None
    status_code: int | None = None
    """OCPI's, of the answer, once there is one"""
    audiences: Sequence[str] = ()
    """What is open to the caller in the name of `senders`."""

    @property
    def owners(self) -> list[str] | None:
        """The folded party of ours that is addressed, or None for all that we host."""
        return None if self.routing.to_party is None else [self.routing.to_party.key]

    @property
    def senders(self) -> tuple[str, ...]:
        """The folded parties on whose behalf is asked: OCPI-from, else all that the peer speaks
        for, a hub's clients among them."""
        if self.routing.from_party is not None:
            return (self.routing.from_party.key,)
        return () if self.caller is None else tuple(self.caller.peer.speaks_for)


def version_of_scope(scope: Scope) -> OcpiVersion:
    """The version that a request is judged by, also of one that is none of OCPI's."""
    context: RequestContext | None = scope.get(SCOPE_KEY)
    return INNER_VERSION if context is None else context.version


def context_of(request: Request) -> RequestContext:
    context: RequestContext = request.scope[SCOPE_KEY]
    return context


def caller_of(request: Request) -> Caller:
    """The authenticated caller; raises NotAuthorized where the gate let nobody in."""
    caller = context_of(request).caller
    if caller is None:
        raise NotAuthorized
    return caller


def _party(headers: Mapping[str, str], side: str) -> PartyId | None:
    party_id = headers.get(f"ocpi-{side}-party-id")
    country_code = headers.get(f"ocpi-{side}-country-code")
    if party_id is None and country_code is None:
        return None
    if not party_id or not country_code:
        raise InvalidParameters(
            f"OCPI-{side}-party-id and OCPI-{side}-country-code: both or neither"
        )
    if not (len(party_id) == 3 and len(country_code) == 2 and (party_id + country_code).isalnum()):
        raise InvalidParameters(
            f"OCPI-{side}-party-id and OCPI-{side}-country-code: 3 and 2 letters or digits"
        )
    return PartyId(country_code, party_id)
