"""What actions work with: the store, and the few calls into other rooms that whoever builds it
hands in. Actions know no room.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cpo_app.settings import Settings
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from domain.authorization.authorization import Decision
from domain.operators.passwords import Passwords
from domain.peers.peer import Peer
from domain.peers.peers import Peers
from domain.peers.terms import Terms
from domain.secrets import Vault


class Joining(Protocol):
    """We register with a platform, and part from it."""

    async def connect(
        self,
        versions_url: str,
        token_a: str,
        name: str | None = None,
        raw_token: bool = False,
        terms: Terms = ...,
        modules: Sequence[str] = ...,
    ) -> Peer:
        """Raises OcpiError where the platform will not."""

    async def unregister(self, peer_id: str) -> bool: ...


class Renewal(Protocol):
    """A connected peer's endpoints and tokens; each raises OcpiError where it will not."""

    async def refresh(self, peer_id: str) -> Peer: ...

    async def rotate(self, peer_id: str) -> Peer: ...


class Pulled(Protocol):
    """What a pull of tokens did (cpo_app.ocpi: PullReport)."""

    @property
    def complete(self) -> bool: ...

    @property
    def date_from(self) -> datetime | None: ...

    @property
    def resumed(self) -> bool: ...

    @property
    def counts(self) -> Mapping[str, int]: ...

    @property
    def problem(self) -> str | None: ...


class Terminals(Protocol):
    """Payment terminals at their provider (OCPI 2.3.0, payments): each raises UnknownPeer,
    InvalidParameters where the peer offers none, and OcpiError where it will not."""

    async def pull(self, peer_id: str) -> Mapping[str, int]:
        """Fetch its terminals and confirmations: how many had which outcome."""

    async def assign(
        self, peer_id: str, terminal_id: str, locations: Sequence[str], evses: Sequence[str]
    ) -> JsonMapping:
        """The terminal as it is then."""

    async def activate(self, peer_id: str, terminal: JsonMapping) -> None: ...

    async def deactivate(self, peer_id: str, terminal_id: str) -> None: ...


class Authorize(Protocol):
    async def __call__(
        self,
        uid: str,
        token_type: str,
        location: JsonMapping,
        evse: JsonMapping,
        party: str | None,
    ) -> Decision:
        """`party`: folded; only a card of that party will do."""


@dataclass(frozen=True)
class House:
    store: DbInterface
    settings: Settings
    peers: Peers
    joining: Joining
    renewal: Renewal
    vault: Vault
    passwords: Passwords
    finish_calls: Callable[[], Awaitable[list[str]]]
    """Registrations of ours that a dead process has left half done: what came of each."""
    pull_tokens: Callable[[str, bool], Awaitable[Pulled]]
    """A peer's tokens, all of them or what changed. Raises UnknownPeer, InvalidParameters,
    PullUnderWay."""
    set_operative: Callable[[str, bool], Awaitable[object]]
    """Raises NotRegistered."""
    authorize: Authorize
    """A card at an EVSE, as at the reader."""
    terminals: Terminals
    wake_commands: Callable[[], None]
    """There is a new one."""
    replay: Callable[[str], Awaitable[str | None]]
    """Hand a dead letter to telemetry's handlers again: None, or why it was not taken. Raises
    NoSuchLetter."""
    tell_test: Callable[[], Awaitable[Sequence[tuple[str, str | None]]]]
    """Tell each target of the notices that this is a test, now: its id, and why it did not take
    it, or None."""
