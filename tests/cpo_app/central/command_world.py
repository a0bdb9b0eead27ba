"""Central with two charge points, a link that a test holds in its hand, and peers' answers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from cpo_app.central.commands import command_parts
from cpo_app.central.commands.command_parts import CommandParts
from cpo_app.central.commands.command_worker import LEASE_S
from cpo_app.central.link.link import (
    ChargePointLink,
    LinkAnswer,
    LinkCommand,
    LinkRefused,
    LinkResult,
    LinkUnreachable,
)
from cpo_app.central.service import Central
from crud.charging_profiles import ChargingProfiles
from crud.commands import Commands
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.charge_points import registrations
from domain.charge_points.charge_point_events import Event, Registered, StateReported
from domain.charge_points.evse_states import ConnectorState
from domain.charge_points.registrations import Application, Proof
from domain.commands.command_delivery import Deliver, Delivery, NotDelivered
from domain.commands.command_intake import CheckUrl, Intake
from domain.reservations import reservations
from domain.secrets import Vault
from domain.visibility import Reader, audiences
from tests.clock import Clock
from tests.conftest import Loop
from tests.settings_of import settings_of

_IDS = itertools.count(1)


@dataclass
class Engine:
    """A charge point: carries each command out once, as a real one does."""

    session_id: str | None = None
    reservation_id: str | None = None
    profile: Mapping[str, Any] | None = None
    answers: dict[str, LinkAnswer] = field(default_factory=dict)


class FakeLink(ChargePointLink):
    """`done`: what was carried out, [(cp_id, kind, fields)]. `says[cp_id]`: the answer instead.
    `deaf`: charge points that do not answer: "gone" (they surely do not hear), "lost" (they do
    not hear, but who knows), "mute" (they hear, and their answer is lost)."""

    def __init__(self) -> None:
        self.engines: dict[str, Engine] = {}
        self.done: list[tuple[str, str, dict[str, Any]]] = []
        self.says: dict[str, LinkResult] = {}
        self.deaf: dict[str, str] = {}
        self.tells_no_profile = False
        self.limit_until: datetime | None = None
        """As far as charge points take a limit that they are told."""
        self.asked = 0
        self.before: Callable[[], Awaitable[None]] | None = None
        self.after: Callable[[], Awaitable[None]] | None = None

    def engine(self, cp_id: str) -> Engine:
        return self.engines.setdefault(cp_id, Engine())

    def kinds(self) -> list[str]:
        return [kind for _, kind, _ in self.done]

    async def carry_out(self, command: LinkCommand) -> LinkAnswer:
        cp_id, command_id, fields = command.cp_id, command.command_id, dict(command.fields)
        self.asked += 1
        if self.before is not None:
            await self.before()
        deaf = self.deaf.get(cp_id)
        if deaf in ("gone", "lost"):
            raise LinkUnreachable("unreachable", sent=False if deaf == "gone" else None)
        engine = self.engine(cp_id)
        if command_id not in engine.answers:
            result = self.says.get(cp_id) or self._done(engine, command.kind, fields)
            message = "NO_PROFILE" if result is None else None
            until = self.limit_until if command.kind == "set_limit" else None
            engine.answers[command_id] = LinkAnswer(
                result or LinkResult.REJECTED, message, until=until
            )
            self.done.append((cp_id, command.kind, fields))
        if self.after is not None:
            await self.after()
        if deaf == "mute":
            raise LinkUnreachable("no answer", sent=None)
        return engine.answers[command_id]

    def _done(self, engine: Engine, kind: str, fields: dict[str, Any]) -> LinkResult | None:
        session_id = fields.get("session_id")
        if kind == "start":
            if engine.session_id is not None:
                return LinkResult.OCCUPIED
            if engine.reservation_id not in (None, fields["reservation_id"]):
                return LinkResult.RESERVED
            engine.session_id, engine.reservation_id = session_id, None
            return LinkResult.ACCEPTED
        if kind == "reserve":
            if engine.reservation_id not in (None, fields["reservation_id"]):
                return LinkResult.RESERVED
            if engine.session_id is not None:
                return LinkResult.OCCUPIED
            engine.reservation_id = fields["reservation_id"]
            return LinkResult.ACCEPTED
        if kind == "cancel_reservation":
            if engine.reservation_id != fields["reservation_id"]:
                return LinkResult.REJECTED
            engine.reservation_id = None
            return LinkResult.ACCEPTED
        if kind == "unlock":
            engine.session_id = None
            return LinkResult.ACCEPTED
        if engine.session_id != session_id:
            return LinkResult.UNKNOWN_SESSION
        if kind == "stop":
            engine.session_id = engine.profile = None
        if kind == "set_limit":
            engine.profile = fields["limit"]
        if kind == "clear_limit":
            if engine.profile is None:
                return None
            engine.profile = None
        return LinkResult.ACCEPTED

    async def active_profile(
        self, cp_id: str, *, session_id: str, duration_s: int, timeout_s: float | None = None
    ) -> Mapping[str, Any] | None:
        if cp_id in self.deaf:
            raise LinkUnreachable("no answer", sent=None)
        engine = self.engine(cp_id)
        if engine.session_id != session_id:
            return None
        if self.tells_no_profile:
            raise LinkRefused(f"{cp_id}: Rejected")
        return {
            "start_date_time": "2025-05-01T12:00:00Z",
            "charging_profile": engine.profile
            or {
                "duration": duration_s,
                "charging_rate_unit": "W",
                "charging_profile_period": [{"start_period": 0, "limit": 22000.0}],
            },
        }


class Peers:
    """Takes deliveries; `refuses` is raised instead."""

    def __init__(self) -> None:
        self.got: list[Delivery] = []
        self.refuses: NotDelivered | None = None
        self.before: Callable[[], Awaitable[None]] | None = None
        self.after: Callable[[], Awaitable[None]] | None = None

    async def deliver(self, delivery: Delivery) -> None:
        if self.before is not None:
            await self.before()
        if self.refuses is not None:
            raise self.refuses
        self.got.append(delivery)
        if self.after is not None:
            await self.after()


@dataclass(frozen=True)
class Asker:
    """An eMSP as the routers hand it on."""

    world: CommandWorld
    peer_id: str
    party: str

    @property
    def reader(self) -> Reader:
        return Reader((self.party,))

    def token(self, uid: str = "CARD-1", **fields: Any) -> dict[str, Any]:
        country_code, _, party_id = self.party.partition("*")
        return {
            "country_code": country_code.upper(),
            "party_id": party_id.upper(),
            "uid": uid,
            "type": "RFID",
            "contract_id": f"C-{uid}",
            "issuer": "Issuer",
            "valid": True,
            "whitelist": "ALLOWED",
            "last_updated": "2025-05-01T12:00:00Z",
            **fields,
        }

    def ask(self, command: str, url: str | None = None, **data: Any) -> dict[str, Any]:
        """The synchronous answer."""
        return self.world.run(self.asking(command, url, **data))

    async def asking(self, command: str, url: str | None = None, **data: Any) -> dict[str, Any]:
        url = url or f"https://{self.peer_id}.example/results/{next(_IDS)}"
        return await self.world.commands.do(
            None,
            data={"response_url": url, **data},
            command=command,
            response_url=url,
            reader=self.reader,
            peer_id=self.peer_id,
            correlation_id="corr-1",
        )

    def start(self, uid: str = "CARD-1", url: str | None = None, **more: Any) -> dict[str, Any]:
        data = {"token": self.token(uid), "location_id": "SITE-1", **more}
        return self.ask("START_SESSION", url, **data)

    def reserve(
        self, reservation_id: str = "R1", minutes: float = 30, **more: Any
    ) -> dict[str, Any]:
        expiry = self.world.clock.at + timedelta(minutes=minutes)
        data = {
            "token": self.token(),
            "location_id": "SITE-1",
            "reservation_id": reservation_id,
            "expiry_date": expiry.isoformat().replace("+00:00", "Z"),
            **more,
        }
        return self.ask("RESERVE_NOW", **data)

    def profile(self, action: Any, session_id: str, **more: Any) -> dict[str, Any]:
        url = f"https://{self.peer_id}.example/results/{next(_IDS)}"
        return self.world.run(
            self.world.profiles.do(
                action,
                session_id=session_id,
                response_url=url,
                reader=self.reader,
                peer_id=self.peer_id,
                correlation_id="corr-1",
                **more,
            )
        )

    def sees(self, session_id: str) -> str | None:
        """The status of the Session, as the peer may read it."""
        raw = self.world.run(
            self.world.store.objects("sessions").read(
                session_id, audiences("sessions", self.reader)
            )
        )
        return None if raw is None else orjson.loads(raw)["status"]


class CommandWorld:
    """Charge points CP-001 and CP-002 at SITE-1, idle and online."""

    def __init__(
        self,
        db: Database,
        loop: Loop,
        *,
        timeout_s: float = 30,
        check_url: CheckUrl | None = None,
        deliver: Deliver | None = None,
    ) -> None:
        self.db, self.loop = db, loop
        self.store = DbInterface(db)
        self.clock = db.clock = Clock()
        self.link = FakeLink()
        self.peers = Peers()
        self.deliver = deliver or self.peers.deliver
        self.settings = settings_of(REGISTRY_SECRET_KEY="r" * 40)
        self.central = self._central()
        self.intake = Intake(
            self.store,
            party={"country_code": "DE", "party_id": "CPO"},
            timeout_s=timeout_s,
            check_url=check_url or self._check_url,
        )
        self.commands = Commands(self.intake)
        self.profiles = ChargingProfiles(self.intake)
        self.parts = self.worker()
        for cp_id in ("CP-001", "CP-002"):
            self._enrol(cp_id)
            self.happen(cp_id, Registered("10.0.0.1", 8001, b"sealed", interval_s=60, missed=5))
            self.report(cp_id, "AVAILABLE")

    def run(self, work: Awaitable[Any]) -> Any:
        async def waited() -> Any:
            return await work

        return self.loop.run(waited())

    def asker(self, party: str = "de*tnm") -> Asker:
        return Asker(self, f"peer-{party.replace('*', '')}", party)

    def worker(self, **timing: Any) -> CommandParts:
        """A worker; a second one is as another process on the same store."""
        central = self._central() if hasattr(self, "parts") else self.central

        async def make() -> CommandParts:
            return command_parts.build(central, self.deliver, [self.intake], **timing)

        return self.run(make())

    def settle(self, parts: CommandParts | None = None) -> None:
        """Let the worker do all that is due now."""
        worker = (parts or self.parts).worker

        async def work() -> None:
            while True:
                await worker.round()
                if not worker._tasks:
                    return
                await asyncio.gather(*worker._tasks, return_exceptions=True)
                await asyncio.sleep(0)  # lets the tasks' callbacks run

        self.run(work())

    def leases_end(self) -> None:
        """Time passes until nobody holds a command any more."""
        self.clock.advance(LEASE_S + 0.1)

        async def end() -> None:
            await self.db["commands"].update_many({}, [{"$set": {"lease_until": "$$NOW"}}])

        self.run(end())

    def abandon(self, parts: CommandParts | None = None) -> None:
        """As kill -9 would."""
        self.run((parts or self.parts).worker.abandon())

    def happen(self, cp_id: str, event: Event) -> None:
        self.run(self.central.apply(cp_id, event))

    def report(self, cp_id: str, state: str, plugged: bool = False) -> None:
        ev_state = "plugged" if plugged else "unplugged"
        event = StateReported("1", ConnectorState(state), ev_state, at=self.clock.at)
        self.happen(cp_id, event)

    def telemetry(self, cp_id: str, *messages: dict[str, Any], boot_id: str = "b") -> None:
        rows = [{"seq": next(_IDS), "at": self.clock.at, **message} for message in messages]
        self.run(self.central.telemetry.take(cp_id, boot_id, rows, self.clock.now()))

    def began(self, session_id: str, cp_id: str = "CP-001") -> None:
        self.telemetry(
            cp_id,
            {
                "kind": "session_started",
                "session_id": session_id,
                "connector_id": "1",
                "register_wh": 0.0,
                "id_tag": "CARD-1",
                "source": "remote",
            },
        )

    def stopped(self, session_id: str, energy_wh: float = 500.0, cp_id: str = "CP-001") -> None:
        self.telemetry(
            cp_id,
            {
                "kind": "session_stopped",
                "session_id": session_id,
                "connector_id": "1",
                "register_wh": energy_wh,
                "energy_wh": energy_wh,
                "reason": "remote",
                "signed_data": None,
            },
        )

    def results(self) -> list[str]:
        return [delivery.body["result"] for delivery in self.peers.got if "result" in delivery.body]

    def documents(self, kind: str) -> list[dict[str, Any]]:
        return self.run(self.db["commands"].find({"kind": kind}).sort("created", 1).to_list(None))

    def sessions(self) -> list[dict[str, Any]]:
        """In the order of creation, also those of one millisecond: the clock stands still."""
        rows = self.db["charging_sessions"].find().hint([("$natural", 1)])
        return sorted(self.run(rows.to_list(None)), key=lambda row: row["created"])

    def reservation(self, asker: Asker, reservation_id: str = "R1") -> dict[str, Any] | None:
        key = reservations.inner_id(asker.peer_id, asker.party, reservation_id)
        return self.run(reservations.get(self.db, key))

    def evse_status(self, cp_id: str = "CP-001") -> str:
        location = self.run(self.store.get("locations", "de/cpo/site-1"))
        return next(evse["status"] for evse in location["evses"] if evse["uid"] == cp_id)

    async def _check_url(self, peer_id: str, url: str) -> None:
        """Where results may go is result_sender's business."""

    def _central(self) -> Central:
        async def admit(
            token: str | None,
            cp_id: str,
            *,
            required: bool,
            certificate: str | None = None,
            at_leisure: bool = False,
        ) -> None:
            return None

        return Central(
            self.store,
            self.settings,
            Vault("v" * 40),
            admit=admit,
            link=self.link,
        )

    def _enrol(self, cp_id: str) -> None:
        self.run(
            registrations.register(
                self.store,
                Application(cp_id, "Berlin", {"site_id": "SITE-1"}),
                proof=Proof(admin=True),
                open_to_new=True,
                credentials_hash="0" * 64,
                party=self.settings.parties[0],
            )
        )
