"""The eMSPs that can be asked whether a card may charge: the seam that the Authorizer asks by.

Implemented where peers and HTTP are known (cpo_app/ocpi/peer_services/realtime_authorization.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.authorization.authorization_answer import Question


@dataclass(frozen=True)
class Emsp:
    """A peer that answers for a party, by itself or as a hub.

    `party`: (country_code, party_id) as its credentials have them; None: whichever party the hub
    finds. `can_be_asked` False: it has no Tokens sender interface, or is not to be called now.
    """

    peer_id: str
    party: tuple[str, str] | None
    can_be_asked: bool = True


@dataclass(frozen=True)
class Reply:
    """What became of a real-time request: `data` is its AuthorizationInfo as it came.

    `unknown`: the eMSP does not know the token (404, 2004). Neither: no usable answer.
    """

    data: object = None
    unknown: bool = False


class Emsps(Protocol):
    """The eMSPs that we have registered with."""

    async def behind(self, country_code: str, party_id: str) -> Emsp | None:
        """Who answers for the party; None: nobody, and its tokens are good for nothing."""

    async def offering(self) -> Sequence[Emsp]:
        """Those that may be asked for a card which nobody has told us of, and can be."""

    async def may_issue(self, peer_id: str, party: str) -> bool:
        """Whether the tokens of a (folded) party are the peer's to speak for."""

    async def ask(self, emsp: Emsp, question: Question, timeout_s: float) -> Reply:
        """Never raises for what the peer does."""
