"""Our OCPI face with Central behind it, and eMSPs on loopback that note what they are told."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

import httpx
from py_ocpi.core.enums import ModuleID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.peer_services.result_sender import ResultSender
from db_interface.database import Database
from domain.peers.peers import Peers
from domain.secrets import Vault
from tests.conftest import Loop
from tests.cpo_app.central.command_world import CommandWorld
from tests.cpo_app.ocpi.conftest import Face, PeerSide, running_face
from tests.serving import served


@dataclass
class Told:
    """A request that an eMSP got."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Emsp:
    """A registered eMSP with a server that takes results, and answers `status`."""

    side: PeerSide
    url: str
    told: list[Told]
    status: list[int] = field(default_factory=lambda: [200])

    def start(self, url: str | None = None, **fields: Any) -> httpx.Response:
        data = {"response_url": url or f"{self.url}/results/1", "location_id": "SITE-1", **fields}
        return self.side.post("commands/START_SESSION", json=data)

    def command(self, name: str, **fields: Any) -> httpx.Response:
        data = {"response_url": f"{self.url}/results/1", **fields}
        return self.side.post(f"commands/{name}", json=data)

    def results(self) -> list[str]:
        return [told.body["result"] for told in self.told if "result" in told.body]


class CommandFace:
    def __init__(self, db: Database, loop: Loop, **changed: Any) -> None:
        """`changed`: settings of the face."""
        self._stack = contextlib.ExitStack()
        self._loop = loop
        self.peers = Peers(db, Vault("k" * 32))
        self.client = PeerClient(allow_private=True)
        self.sender = ResultSender(self.peers, self.client, allow_private=True)
        self.central = CommandWorld(
            db, loop, check_url=self.sender.check, deliver=self.sender.deliver
        )
        modules = {
            ModuleID.commands: self.central.commands,
            ModuleID.charging_profile: self.central.profiles,
        }
        self.face: Face = self._stack.enter_context(running_face(db, loop, modules, **changed))

    def emsp(self, party: str = "DE*TNM") -> Emsp:
        told: list[Told] = []
        status = [200]

        async def take(request: Request) -> Response:
            body = await request.json()
            told.append(Told(request.method, request.url.path, dict(request.headers), body))
            now = "2025-05-01T12:00:00Z"
            return JSONResponse({"status_code": 1000, "timestamp": now}, status[0])

        app = Starlette(routes=[Route("/{path:path}", take, methods=["POST", "PUT"])])
        url = self._stack.enter_context(served(app, self._loop))
        endpoints = [
            {"identifier": name, "role": "SENDER", "url": f"{url}/emsp/{name}"}
            for name in ("commands", "chargingprofiles")
        ]
        side = self.face.connected(party, endpoints=endpoints, versions_url=f"{url}/versions")
        return Emsp(side, url, told, status)

    def token_b(self, emsp: Emsp) -> str:
        peer = self._loop.run(self.peers.get(emsp.side.peer_id))
        return self.peers.their_token(peer)

    def settle(self) -> None:
        self.central.settle()

    def moments_pass(self) -> None:
        """States that follow each other bear stamps a millisecond apart, and lists show them once
        the clock is there: this one stands still by itself."""
        self.central.clock.advance(1)

    def close(self) -> None:
        self._loop.run(self.client.aclose())
        self._stack.close()


def token(party: str = "DE*TNM", uid: str = "CARD-1", **fields: Any) -> dict[str, Any]:
    return {
        "country_code": party[:2],
        "party_id": party[3:],
        "uid": uid,
        "type": "RFID",
        "contract_id": f"C-{uid}",
        "issuer": "Issuer",
        "valid": True,
        "whitelist": "ALLOWED",
        "last_updated": "2025-05-01T12:00:00Z",
        **fields,
    }
