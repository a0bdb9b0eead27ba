"""The OCPI app on a real server and a real mongod, and peers that have shaken hands."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import httpx
import pytest
from py_ocpi.core.enums import ModuleID

from auth.authenticator import OcpiAuthenticator
from auth.credentials_header import encoded
from cpo_app.exchange_recording import recording_rules
from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.peer_services.credentials_exchange import CredentialsExchange
from cpo_app.ocpi.peer_services.joining import Joining
from cpo_app.ocpi.peer_services.registration import Registration
from cpo_app.ocpi.peer_services.renewal import Renewal
from cpo_app.ocpi.server.app import build_ocpi_app
from cpo_app.otlp.incoming import Traced
from cpo_app.settings import Settings
from crud.cpo_crud import CpoCrud
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject
from domain.exchanges.exchange import EXCHANGES, Exchange
from domain.exchanges.recorder import Recorder
from domain.objects.locations import owned_location
from domain.peers import client_switches
from domain.peers.peers import Peers
from domain.peers.terms import Terms
from domain.secrets import Vault, new_token
from domain.versions import INNER_VERSION, OcpiVersion
from tests.conftest import Loop
from tests.peers.emsp import Emsp, emsp_on
from tests.peers.subjects import NO_TLS
from tests.serving import listener, served
from tests.settings_of import settings_of

ANYBODY = Terms(any_party=True, hub=True)


@dataclass
class Face:
    """Our OCPI face as a test sees it: where it is, and its inside for what HTTP cannot do."""

    base_url: str
    settings: Settings
    store: DbInterface
    peers: Peers
    registration: Registration
    joining: Joining
    renewal: Renewal
    authenticator: OcpiAuthenticator
    recorder: Recorder
    loop: Loop

    @property
    def ocpi(self) -> str:
        return f"{self.base_url}/ocpi"

    def module(self, name: str, version: OcpiVersion = INNER_VERSION) -> str:
        return f"{self.ocpi}/cpo/{version.number}/{name}"

    def invite(self, name: str = "eMSP", terms: Terms = ANYBODY) -> tuple[str, str]:
        """A new peer's id and its token A; by default it may be whatever it says."""
        peer, token = self.loop.run(self.peers.invite(name, datetime.now(timezone.utc), terms))
        return peer.peer_id, token

    def connected(self, *parties: str, role: str = "EMSP", **facts: Any) -> PeerSide:
        """A peer with these parties ("DE*TNM") that is registered, without a server of its own."""
        peer_id, _ = self.invite("+".join(parties))
        token = new_token()
        roles = [
            {
                "role": role,
                "country_code": party[:2],
                "party_id": party[3:],
                "business_details": {"name": party},
            }
            for party in parties
        ]
        self.loop.run(
            self.peers.connect(
                peer_id,
                our_token=token,
                their_token=new_token(),
                now=datetime.now(timezone.utc),
                roles=roles,
                **{"endpoints": [], "versions_url": "https://peer.example/versions", **facts},
            )
        )
        return PeerSide(self, peer_id, token)

    def approve(self, hub: PeerSide, *parties: str) -> None:
        """The operator's yes to clients ("FR*CLI") of a hub."""
        named = [(party[:2], party[3:]) for party in parties]
        self.loop.run(client_switches.approve(self.store, hub.peer_id, named))
        self.authenticator.forget()

    def exchanges(self) -> list[Exchange]:
        """What has been recorded until now, the oldest first."""
        self.loop.run(self.recorder.write())
        found = EXCHANGES.of(self.store.db).find({}, sort=[("_id", 1)])
        return self.loop.run(found)

    def keep(self, module: str, *objects: OwnedObject) -> None:
        """Put objects into the store as their makers would."""
        for obj in objects:
            self.loop.run(self.store.create(module, obj))

    def keep_locations(self, *locations: dict[str, Any]) -> None:
        self.keep("locations", *map(owned_location, locations))


@dataclass
class PeerSide:
    """A peer with a token: plain HTTP, as an engineer with curl would do it."""

    face: Face
    peer_id: str
    token: str
    version: OcpiVersion = INNER_VERSION

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": shown(self.token, self.version)}

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """`path` is a URL, or a module path below /ocpi/cpo/2.2.1/ (or its version's)."""
        url = path if path.startswith("http") else self.face.module(path, self.version)
        headers = {**self.headers, **options.pop("headers", {})}
        return httpx.request(method, url, headers=headers, timeout=20, verify=NO_TLS, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PATCH", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)


def shown(token: str, version: OcpiVersion) -> str:
    """The Authorization header of the version that presents the token."""
    return encoded(token) if version.description.encodes_tokens else f"Token {token}"


MakeFace = Callable[..., Face]


@contextlib.contextmanager
def running_face(
    db: Database, loop: Loop, modules: dict[ModuleID, Any] | None = None, **changed: Any
) -> Iterator[Face]:
    """An OCPI face on `db` with settings of one's choice, and further modules' Cruds."""
    listening = listener()
    settings = settings_of(
        **{
            "CENTRAL_PORT": listening.getsockname()[1],
            "CPO_ALLOW_PRIVATE_URLS": True,
            "CPO_PEER_TIMEOUT_S": 2,
            "CPO_APPROVE_PEERS": True,
        }
        | changed,
    )
    store = DbInterface(db)
    peers = Peers(db, Vault("k" * 32), approve_unnamed=settings.CPO_APPROVE_PEERS)
    authenticator = OcpiAuthenticator(db, peers)
    recorder = Recorder(db, recording_rules(settings), Vault("k" * 32).digest)
    client = PeerClient(allow_private=settings.CPO_ALLOW_PRIVATE_URLS, recorder=recorder)
    exchange = CredentialsExchange(settings, peers, client, authenticator)
    registration = Registration(exchange)
    crud = CpoCrud(store, {ModuleID.credentials_and_registration: registration, **(modules or {})})
    app = build_ocpi_app(settings, crud, authenticator, recorder=recorder)
    traced = Traced(app, routes=app.routes)
    with served(traced, loop, listening) as base_url:
        yield Face(
            base_url,
            settings,
            store,
            peers,
            registration,
            Joining(exchange),
            Renewal(exchange),
            authenticator,
            recorder,
            loop,
        )
    loop.run(client.aclose())


@pytest.fixture
def make_face(db: Database, loop: Loop) -> Iterator[MakeFace]:
    """Start an OCPI face with settings of one's choice; all end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda **changed: stack.enter_context(running_face(db, loop, **changed))


@pytest.fixture(scope="session")
def _one_face(_shared: Database, loop: Loop) -> Iterator[Face]:
    with running_face(_shared, loop) as face:
        yield face


@pytest.fixture
def face(_one_face: Face, db: Database) -> Face:
    """A face with the defaults, that knows no peer and no object."""
    _one_face.authenticator.forget()
    # What an earlier test left unwritten is none of this one's exchanges.
    recorder = _one_face.recorder
    recorder._waiting.clear()
    recorder._bytes = recorder._lost = 0
    return _one_face


@pytest.fixture(scope="session")
def _one_emsp(loop: Loop) -> Iterator[Emsp]:
    with emsp_on(loop) as emsp:
        yield emsp


@pytest.fixture
def emsp(_one_emsp: Emsp) -> Emsp:
    """An eMSP on a server of its own that has seen nothing yet and answers as the text says."""
    _one_emsp.__init__(base_url=_one_emsp.base_url)  # type: ignore[misc]
    return _one_emsp


@pytest.fixture
def peer(face: Face) -> PeerSide:
    """An eMSP DE*TNM that is registered with us."""
    return face.connected("DE*TNM")
