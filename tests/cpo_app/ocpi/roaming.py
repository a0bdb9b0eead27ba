"""Our CPO and the mock hub, each on its own server, with the push beside."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cpo_app.mock_hub.hub import Hub
from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.peer_services.hub_client_pull import HubClientPull
from cpo_app.ocpi.push import Push
from db_interface.owned_objects import OwnedObject
from domain.objects.locations import owned_location
from domain.operator.hub_clients import rows_of
from domain.outbox.publishing import publish
from domain.peers import client_switches
from domain.peers.peers import Peers
from tests.conftest import Loop
from tests.cpo_app.ocpi.command_face import CommandFace
from tests.cpo_app.ocpi.conftest import Face
from tests.peers.hub import hub_on

CLIENT = ("FR", "CLI")


@dataclass
class FaceAlone:
    face: Face
    peers: Peers
    client: PeerClient


class Roaming:
    """Our face with push beside it, and the hub."""

    def __init__(self, world: CommandFace | FaceAlone, hub: Hub, loop: Loop) -> None:
        self.world, self.hub, self.loop = world, hub, loop
        self.store = world.face.store
        self.push = Push(world.face.settings, self.store, world.peers, world.client)
        self.peer_id = ""

    def hub_registers(self, approved: str | None = "FR/CLI DE/KUN NL/MSP") -> None:
        """It registers, its clients are read, and the operator approves these; None: nobody."""
        self.peer_id, token_a = self.world.face.invite("Hub")
        self.loop.run(self.hub.register(self.world.face.settings.versions_url, token_a))
        self.read_clients()
        if approved:
            self.approve(*approved.split())

    def approve(self, *names: str) -> None:
        parties = [(name[:2], name[3:]) for name in names]
        self.loop.run(client_switches.approve(self.store, self.peer_id, parties))
        self.world.face.authenticator.forget()

    def read_clients(self) -> None:
        """A round of the background work of a process that has just started."""
        world = self.world
        pull = HubClientPull(self.store, world.face.settings, world.peers, world.client)
        self.loop.run(pull.round())

    def clients(self) -> dict[str, str]:
        """Status and approval of each, as the operator sees them."""
        rows = self.loop.run(rows_of(self.store.db, self.peer_id))
        return {row["party"]: f"{row['status']}, {row['approval']}" for row in rows}

    def publish(self, fields: dict[str, Any]) -> None:
        self.keep("locations", owned_location(fields))

    def keep(self, module: str, obj: OwnedObject) -> None:
        """Written as its maker does, with its marks."""
        self.loop.run(self.store.transact(lambda tx: publish(self.store, module, obj, tx)))

    def stored(self, module: str, **query: Any) -> list[dict[str, Any]]:
        return self.loop.run(self.store.objects(module).documents(query))  # type: ignore[arg-type]


@contextlib.contextmanager
def roaming_with(world: CommandFace | FaceAlone, loop: Loop) -> Iterator[Roaming]:
    with hub_on(loop) as hub:
        roaming = Roaming(world, hub, loop)
        loop.run(roaming.push.start())
        try:
            yield roaming
        finally:
            loop.run(roaming.push.stop())


@contextlib.contextmanager
def roaming_without_central(face: Face, loop: Loop) -> Iterator[Roaming]:
    """Without Central, whose tests turn the clock by hand: what is tried again waits for it."""
    client = PeerClient(allow_private=True)
    with roaming_with(FaceAlone(face, face.peers, client), loop) as roaming:
        yield roaming
    loop.run(client.aclose())
