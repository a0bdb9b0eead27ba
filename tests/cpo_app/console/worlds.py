"""A night at the operator's: charge points in every condition, peers, sessions, and the pages.

Whatever strangers can write (ids apart) is full of HTML here.
"""

from __future__ import annotations

import asyncio
import base64
import re
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from fastapi import FastAPI

from auth.operator_access import OperatorAccess
from auth.throttle import Throttle
from cpo_app.actions.house import House
from cpo_app.add_routes import add_routes
from cpo_app.console import Console, build_console_router
from cpo_app.console.map_tiles import MapTiles
from cpo_app.console.oidc import Oidc
from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.peer_services.credentials_exchange import CredentialsExchange
from cpo_app.ocpi.peer_services.joining import Joining
from cpo_app.ocpi.peer_services.payment_terminals import PaymentTerminals
from cpo_app.ocpi.peer_services.renewal import Renewal
from cpo_app.ocpi.peer_services.token_pull import PullReport
from cpo_app.ocpi.peer_services.unfinished_calls import UnfinishedCalls
from cpo_app.operator.metrics import build_metrics_router
from cpo_app.operator.request_metrics import OcpiMetrics
from cpo_app.operator_guard import OperatorGuard
from db_interface.clocks import HostClock
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from db_interface.writers import SLOTS, WRITERS
from domain.authorization.authorization import Decision
from domain.authorization.whitelist import Allowed
from domain.charge_points import charge_points, registrations
from domain.charge_points.charge_point_events import (
    Heartbeat,
    Missed,
    OperativeSet,
    Registered,
    StateReported,
    TelemetryTaken,
)
from domain.charge_points.evse_states import ConnectorState
from domain.charge_points.registrations import Application, Proof
from domain.operators.passwords import Passwords
from domain.outbox.marks import mark_everything
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.secrets import Vault, new_token
from tests.clock import Clock
from tests.conftest import Loop
from tests.domain.sessions import worlds as charging
from tests.settings_of import settings_of

NOW = datetime(2025, 5, 5, 15, 0, tzinfo=timezone.utc)
VAULT = Vault("v" * 40)
EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>"
ORIGIN = "http://127.0.0.1:8000"
PASSWORD = "the night shift's"
CHEAP_PASSWORDS = Passwords(PasswordHasher.from_parameters(CHEAPEST))
PAGES = (
    "/",
    "/console/map",
    "/console/charge-points",
    "/console/charge-points?q=cp-0",
    "/console/charge-points?status=OUTOFORDER",
    "/console/charge-points?status=UNKNOWN",
    "/console/charge-points?status=REMOVED",
    "/console/charge-points/CP-001",
    "/console/charge-points/cp-bad",
    "/console/charge-points/CP-NEVER",
    "/console/sessions",
    "/console/cdrs",
    "/console/reconciliation",
    "/console/notices",
    "/console/peers",
    "/console/platform",
    "/console/tokens",
    "/console/search",
    "/console/search?q=cp-",
    "/console/search?q=nothing+is+called+so",
    "/console/commands",
    "/console/reservations",
    "/console/stations",
    "/audit",
    "/console/locations",
    "/console/locations?q=loc",
    "/console/locations?q=amster",
    "/console/locations?held=true",
    "/console/tariffs",
    "/console/tariffs/edit",
    "/console/objects/locations?key=nl/evc/loc1",
)


def basic(password: str, user: str = "admin") -> dict[str, str]:
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


class Party:
    country_code, party_id, name = "NL", "EVC", "EVC"


class Night:
    """The store with everything in it; `fill` once, then `visit` as often as needed."""

    def __init__(self, db: Database, loop: Loop, now: datetime = NOW) -> None:
        self.db, self.loop, self.now = db, loop, now
        self.store = DbInterface(db)
        self.peers = Peers(db, VAULT)
        self.secrets: list[str] = []
        """Whatever was issued: none of it may be on any page."""
        self.asked: list[tuple[str, bool]] = []
        self.replayed: list[str] = []
        self.told_as_test: list[tuple[str, str | None]] = []
        self.not_taken: str | None = None
        """Why a replay comes to nothing, as Central would say it."""
        self.running = self.ended = self.peer_id = ""

    def fill(self) -> Night:
        for cp_id, place in (("CP-001", "Amsterdam"), ("CP-BAD", "Berlin"), ("CP-SILENT", "Paris")):
            self.register(cp_id, place)
        self.register("CP-NEVER", "Nowhere-at-all " + EVIL, {"note": EVIL, "deep": {"k": EVIL}})
        self.register("CP-OFF", "Madrid")
        self.register("CP-GONE", "Rome")
        for cp_id in ("CP-001", "CP-BAD", "CP-SILENT", "CP-OFF", "CP-GONE"):
            self.arrive(cp_id)
        self.apply("CP-BAD", Heartbeat(2, 5, "FAULTED", [{"code": "HOT", "message": EVIL}]), 10)
        self.apply("CP-SILENT", Missed(self.document("CP-SILENT")["heartbeat_due"]), 60)
        self.apply("CP-OFF", OperativeSet(False), 5)
        self.db.clock = Clock(self.at(70))
        self.loop.run(
            registrations.deregister(self.store, "CP-GONE", proof=Proof(admin=True), party=Party())
        )
        self.db.clock = HostClock()
        self._charge()
        self._connect_peers()
        self.db.clock = Clock(self.now)
        return self

    def documents(self) -> dict[str, list[RawBSONDocument]]:
        """Everything that it has in the store, but for who wrote it."""

        async def read() -> dict[str, list[RawBSONDocument]]:
            store = self.db.client[self.db.name]
            raw = CodecOptions(document_class=RawBSONDocument)
            names = set(await store.list_collection_names()) - {WRITERS, SLOTS, "system.profile"}
            found = {
                name: await store.get_collection(name, raw).find({}).to_list(None) for name in names
            }
            return {name: rows for name, rows in found.items() if rows}

        return self.loop.run(read())

    def filled_as(self, other: Night, documents: dict[str, list[RawBSONDocument]]) -> Night:
        """What another one wrote once, for a tenth of the effort."""

        async def write() -> None:
            store = self.db.client[self.db.name]
            await asyncio.gather(
                *(store[name].insert_many(rows) for name, rows in documents.items())
            )

        self.loop.run(write())
        self.secrets = [*other.secrets]
        self.running, self.ended, self.peer_id = other.running, other.ended, other.peer_id
        self.db.clock = Clock(self.now)
        return self

    def at(self, seconds: float) -> datetime:
        """That many seconds after the night began, an hour before now."""
        return self.now - timedelta(hours=1) + timedelta(seconds=seconds)

    def register(self, cp_id: str, place: str, metadata: dict[str, Any] | None = None) -> None:
        digest = VAULT.digest(new_token())
        self.secrets.append(digest)
        self.db.clock = Clock(self.at(0))
        self.loop.run(
            registrations.register(
                self.store,
                Application(cp_id, place, metadata),
                proof=Proof(),
                open_to_new=True,
                credentials_hash=digest,
                party=Party(),
            )
        )

    def arrive(self, cp_id: str) -> None:
        key = new_token()
        self.secrets.append(key)
        self.apply(cp_id, Registered("engine.inner.example", 8001, VAULT.seal(key), 2, 5), 1)

    def apply(self, cp_id: str, event: Any, seconds: float) -> None:
        self.db.clock = Clock(self.at(seconds))
        self.loop.run(
            DbInterface(self.db).transact(lambda tx: charge_points.apply(tx, Party(), cp_id, event))
        )

    def document(self, cp_id: str) -> JsonMapping:
        found = self.loop.run(charge_points.get(self.db, cp_id))
        assert found is not None
        return found

    def _charge(self) -> None:
        """One session that ended with a CDR, one that is running, one whose bill failed."""
        world = charging.World(self.db, self.loop, charging.tariff())
        self.ended = world.open()
        world.begin(self.ended, 10)
        world.meter(self.ended, charging.reading(400, 5000.0))
        world.end(self.ended, 600, 7300.0)
        self.running = world.open(900)
        world.begin(self.running, 910)
        world.meter(self.running, charging.reading(1500, 1830.0))
        self.apply(
            "CP-001",
            StateReported("1", ConnectorState.CHARGING, "plugged", self.at(20), None, self.running),
            910,
        )
        meter = {"at": self.at(1500), "energy_wh": 1830.0, "power_w": 11000.0, "current_a": 16.0}
        self.apply("CP-001", TelemetryTaken("boot-1", 7, {"1": meter}), 1500)

        async def spoil() -> None:
            await self.db["charging_sessions"].insert_one(
                {
                    "_id": "S-UNBILLED",
                    "cp_id": "CP-BAD",
                    "connector_id": "1",
                    "running": False,
                    "status": "COMPLETED",
                    "created": self.at(50),
                    "ended": self.at(100),
                    "cdr_problem": EVIL,
                    "signature": {"verdict": "wrong", "reason": EVIL, "problem": None},
                }
            )

        self.loop.run(spoil())

    def _connect_peers(self) -> None:
        """A connected one with an error and a backlog, and an invited one."""
        peer, token_a = self.loop.run(self.peers.invite("MSP " + EVIL, self.at(0), ANY_PARTY))
        self.peer_id = peer.peer_id
        ours, theirs = new_token(), new_token()
        self.secrets += [token_a, ours, theirs, VAULT.digest(ours), VAULT.digest(token_a)]
        role = {
            "role": "EMSP",
            "country_code": "DE",
            "party_id": "MSP",
            "business_details": {"name": EVIL},
        }
        receivers = [
            {"identifier": module, "role": "RECEIVER", "url": f"https://msp.example/{module}"}
            for module in ("locations", "sessions", "cdrs", "tariffs")
        ]

        async def connect() -> None:
            await self.peers.connect(
                self.peer_id,
                our_token=ours,
                their_token=theirs,
                now=self.at(5),
                roles=[role],
                endpoints=receivers,
                version="2.2.1",
                versions_url="https://user:hunter2@msp.example/versions?key=hunter2",
            )
            await self.peers.failed(self.peer_id, f"push: HTTP 500 {EVIL}", self.at(30))
            await mark_everything(self.store, (await self.peers.get(self.peer_id)).document)
            # Marked by the clock of this machine: long ago, as this night's clock has it.
            await self.db["marks"].update_many({}, {"$set": {"since": self.at(40)}})
            _, invitation = await self.peers.invite("Invited", self.at(6))
            self.secrets.append(invitation)

        self.loop.run(connect())
        self.secrets.append("hunter2")

    def visit(
        self,
        *,
        signed_in: bool = True,
        password: str = PASSWORD,
        client: str = "127.0.0.1",
        oidc: Oidc | None = None,
        tiles: MapTiles | None = None,
    ) -> Visit:
        """Of the admin with `password` (CPO_ADMIN_PASSWORD), unless not `signed_in`."""
        return Visit(self, password, signed_in, client, oidc, tiles)


class Visit:
    """A browser that keeps its cookies, before one process's console."""

    def __init__(
        self,
        night: Night,
        password: str,
        signed_in: bool,
        client: str,
        oidc: Oidc | None = None,
        tiles: MapTiles | None = None,
    ) -> None:
        self.night = night
        self.guard = guard = OperatorGuard(
            OperatorAccess(
                night.db,
                VAULT.digest,
                admin_password=password,
                throttle=Throttle("operator", 30),
                passwords=CHEAP_PASSWORDS,
            )
        )

        async def set_operative(cp_id: str, operative: bool) -> None:
            night.asked.append((cp_id, operative))

        async def pull_tokens(peer_id: str, full: bool) -> PullReport:
            return PullReport(peer_id, complete=True)

        async def authorize(
            uid: str, token_type: str, location: object, evse: object, party: str | None
        ) -> Decision:
            return Decision(Allowed.NOT_ALLOWED, info="Unknown card")

        async def replay(letter_id: str) -> str | None:
            night.replayed.append(letter_id)
            return night.not_taken

        async def tell_test() -> list[tuple[str, str | None]]:
            return night.told_as_test

        settings = settings_of(OCPI_HOST="cpo.example", PROTOCOL="https", CPO_PARTIES="NL/EVC=EVC")
        self.settings = settings
        peer_client = PeerClient(allow_private=True)
        exchange = CredentialsExchange(settings, night.peers, peer_client)
        joining = Joining(exchange)
        house = House(
            store=night.store,
            settings=settings,
            peers=night.peers,
            joining=joining,
            renewal=Renewal(exchange),
            vault=VAULT,
            passwords=CHEAP_PASSWORDS,
            finish_calls=UnfinishedCalls(night.peers, joining).round,
            pull_tokens=pull_tokens,
            set_operative=set_operative,
            authorize=authorize,
            terminals=PaymentTerminals(night.store, settings, night.peers, peer_client),
            wake_commands=lambda: None,
            replay=replay,
            tell_test=tell_test,
        )
        console = Console(
            house,
            guard,
            VAULT,
            title="Night shift",
            versions_url="https://cpo.example/ocpi/versions",
            oidc=oidc,
            tiles=tiles,
            docs_url="/ocpi/docs",
            clock=lambda: night.now,
        )
        self.app = app = FastAPI()

        @app.get("/ocpi/cpo/2.2.1/locations/{rest:path}", status_code=404)
        async def location(rest: str) -> None: ...

        add_routes(app, build_console_router(console))
        add_routes(app, build_metrics_router(night.db, guard))
        app.add_middleware(OcpiMetrics, prefix="ocpi")
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, client=(client, 50000)),  # type: ignore[arg-type]
            base_url=ORIGIN,
            headers=basic(password) if signed_in else {},
        )

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.night.loop.run(self.http.get(path, **options))

    def form_token(self, path: str = "/console/peers") -> str:
        """What a form on that page carries."""
        page = self.get(path)
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', page.text)
        assert found is not None, (page.status_code, page.text)
        return found[1]

    def post(
        self, path: str, fields: dict[str, str], *, origin: str | None = ORIGIN, **headers: str
    ) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if origin is not None:
            sent["Origin"] = origin
        return self.night.loop.run(self.http.post(path, data=fields, headers=sent))

    def submit(self, path: str, **fields: str) -> httpx.Response:
        """As the page's own form does it."""
        return self.post(path, {"form_token": self.form_token(), **fields})
