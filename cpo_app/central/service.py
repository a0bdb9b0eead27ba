"""EV_Central: lets charge points in, keeps their state in the store, reaches them by the link.

One object per process, without state of its own that another worker would miss. Knows no HTTP
towards its callers (the routers do) and not which kind of link it has.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from auth.operator_access import OperatorAccess
from auth.throttle import Throttle
from cpo_app.central import charging
from cpo_app.central.door import Door, Overloaded
from cpo_app.central.heartbeats import GATHERED_FOR_S, Heartbeats
from cpo_app.central.link.engine_network import EngineNetwork
from cpo_app.central.link.http_link import Endpoint, HttpLink
from cpo_app.central.link.link import ChargePointLink, LinkUnreachable
from cpo_app.central.link.links import GATHERED_FOR_S as COMMANDS_GATHERED_FOR_S
from cpo_app.central.link.links import Links
from cpo_app.central.link.ocpp_link import OcppLink
from cpo_app.central.meter_batches import MeterBatches
from cpo_app.central.precedence import Precedence
from cpo_app.central.sweepers.watch import PAUSE_S, Watch
from cpo_app.central.telemetry import Handler, Telemetry
from cpo_app.operator_guard import OperatorGuard
from cpo_app.settings import Settings
from db_interface.clocks import uptime_s
from db_interface.database import STORE_ERRORS
from db_interface.gathered import Gathered
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.charge_points import (
    charge_points,
    operator_words,
    registration_records,
    registrations,
)
from domain.charge_points.charge_point_documents import Fault
from domain.charge_points.charge_point_events import (
    Event,
    Heartbeat,
    OperativeTold,
    Registered,
    engine_is_to_be_told,
)
from domain.charge_points.charge_points import Applied, ChargePoint
from domain.secrets import SecretUnusable, Vault, new_token

logger = logging.getLogger("cpo.central")

_TOLD_LATER: tuple[type[Exception], ...] = (LinkUnreachable, SecretUnusable, *STORE_ERRORS)


class Admit(Protocol):
    """OcpiAuthenticator.admit_charge_point: raises ChargePointRefused."""

    async def __call__(
        self,
        token: str | None,
        cp_id: str,
        *,
        required: bool,
        certificate: str | None = None,
        at_leisure: bool = False,
    ) -> None: ...


Authorize = Callable[[JsonObject], Awaitable[JsonObject]]
"""A card at a reader {cp_id, connector_id, token_uid, token_type} to the answer for the engine."""


class UnknownChargePoint(Exception):
    """EV_Registry has no charge point of that id."""


class Central:
    """`authorize` answers for cards at readers (None: none are). `handlers`: of telemetry, those
    of charging unless given.

    `operators` guards the operator's routes (None: CPO_ADMIN_PASSWORD and the store's people).
    """

    def __init__(
        self,
        store: DbInterface,
        settings: Settings,
        vault: Vault,
        *,
        admit: Admit,
        link: ChargePointLink | None = None,
        authorize: Authorize | None = None,
        handlers: Sequence[Handler] | None = None,
        throttle: Throttle | None = None,
        operators: OperatorGuard | None = None,
        watch_pause_s: float = PAUSE_S,
        gather_s: float = GATHERED_FOR_S,
        uptime: Callable[[], float] = uptime_s,
    ) -> None:
        self.store = store
        self.db = store.db
        self.settings = settings
        self.party = settings.parties[0]
        self.uptime = uptime
        self.admit = admit
        failures = settings.CPO_MAX_FAILURES_PER_MINUTE
        self.throttle = throttle or Throttle("central", failures)
        self.operators = operators or OperatorGuard(
            OperatorAccess(
                store.db,
                vault.digest,
                admin_password=settings.CPO_ADMIN_PASSWORD,
                throttle=Throttle("operator", failures),
            )
        )
        self.engines = EngineNetwork(
            settings.CENTRAL_ENGINE_NETWORKS, loopback=settings.engines_on_this_host
        )
        self.link: ChargePointLink = link or Links(
            self.db,
            http=HttpLink(
                self.endpoint,
                network=self.engines,
                plain_http=settings.CENTRAL_ENGINE_PLAIN_HTTP,
            ),
            ocpp=OcppLink(store),
        )
        self.authorize = authorize
        self.precedence = Precedence()
        quick = None
        if handlers is None:
            rules = charging.rules_of(settings)
            handlers = charging.handlers(rules)
            quick = MeterBatches(store, rules, gather_s=gather_s, precedence=self.precedence)
        self.door = Door(settings.CENTRAL_MAX_REQUESTS)
        self.telemetry = Telemetry(store, self.party, handlers, quick, self.precedence, self.door)
        self.heartbeats = Heartbeats(self.db, self._apply_heartbeat, gather_s=gather_s)
        self.watch = Watch(store, self.party, self.heartbeats, pause_s=watch_pause_s, uptime=uptime)
        self._engines: Gathered[ChargePoint] = Gathered(
            store.db, self._charge_points, COMMANDS_GATHERED_FOR_S
        )
        self._vault = vault
        self._telling: dict[str, asyncio.Task[bool]] = {}
        self._told_next: dict[str, ChargePoint] = {}

    async def start(self) -> None:
        """Start the background work; the store need not be reachable yet."""
        if self.settings.CENTRAL_ALLOW_UNREGISTERED:
            logger.warning(
                "CENTRAL_ALLOW_UNREGISTERED is on: charge points that EV_Registry does not know "
                "are taken without proof. For the time of a rollout only"
            )
        await self.link.start_up()
        self.heartbeats.rounds.start()
        self.watch.rounds.start()

    async def stop(self) -> None:
        await self.watch.rounds.stop()
        await self.heartbeats.stop()
        self._told_next.clear()
        for task in list(self._telling.values()):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.link.close()

    @property
    def watching(self) -> bool:
        return self.watch.rounds.running

    async def apply(self, cp_id: str, event: Event) -> Applied:
        """Let an event happen to a charge point."""

        async def work(tx: Tx) -> Applied:
            return await charge_points.apply(tx, self.party, cp_id, event)

        with self.precedence.pressing():
            return await self.store.transact_jointly(work, cp_id.lower())

    async def register(
        self, cp_id: str, host: str, port: int, *, proven: bool, fingerprint: str | None = None
    ) -> str:
        """Take a charge point's registration; returns the key that Central will command with.

        The key stays the same for the same host and certificate (`fingerprint`; None: it speaks
        plain HTTP). `proven` False (it showed no token): always a
        new key, for the present one would let whoever asks command the engine.
        """
        known = await charge_points.get(self.db, cp_id)
        key = new_token()
        event = Registered(
            host=host,
            port=port,
            new_key=self._vault.seal(key),
            interval_s=self.settings.CENTRAL_HEARTBEAT_INTERVAL_S,
            missed=self.settings.CENTRAL_HEARTBEAT_MISSED,
            renew_key=not proven,
            fingerprint=fingerprint,
        )
        applied = await self.apply(cp_id, event)
        await self._log_registration(cp_id, is_new=known is None or not known.get("host"))
        if applied.charge_point["command_key"] == event.new_key:
            return key
        try:
            return self._vault.open(applied.charge_point["command_key"])
        except SecretUnusable:
            logger.warning("CP %s: its key was sealed with another CPO_ENCRYPTION_KEY", cp_id)
        return await self.register(cp_id, host, port, proven=False, fingerprint=fingerprint)

    async def _log_registration(self, cp_id: str, *, is_new: bool) -> None:
        record = await registrations.get(self.db, cp_id)
        if record is not None:
            place = record["location"]
            logger.info("CP %s validated via EV_Registry (location: %s)", record["_id"], place)
        logger.info("Registered new CP: %s" if is_new else "Updated existing CP: %s", cp_id)

    async def log_rejection(self, cp_id: str) -> None:
        """Say why a charge point was not let in, where EV_Registry is the reason."""
        record = await registrations.get(self.db, cp_id)
        if record is None:
            logger.warning("CP %s attempted to register but not found in EV_Registry", cp_id)
        elif record["status"] != registration_records.REGISTERED:
            logger.warning("CP %s is %s in EV_Registry - rejecting", cp_id, record["status"])

    async def heartbeat(
        self,
        cp_id: str,
        interval_s: float,
        engine_state: str | None,
        faults: list[Fault],
    ) -> None:
        """Take a monitor's sign of life; tells its engine what it missed."""
        missed = self.settings.CENTRAL_HEARTBEAT_MISSED
        event = Heartbeat(interval_s, missed, engine_state, faults)
        charge_point = await self.heartbeats.take(cp_id, event)
        if engine_is_to_be_told(charge_point):
            self._tell_in_background(charge_point)

    async def _apply_heartbeat(self, cp_id: str, heartbeat: Heartbeat) -> ChargePoint:
        self.check_room(cp_id, cp_id)
        with self.door.inside():
            return (await self.apply(cp_id, heartbeat)).charge_point

    def check_room(self, who: str, cp_id: str | None) -> None:
        """Return if there is room for one more request; who is turned away was heard all the same.

        `cp_id`: what its token says that it is. Raises Overloaded.
        """
        try:
            self.door.check(who)
        except Overloaded:
            if cp_id is not None:
                self.heartbeats.turned_away(cp_id)
            raise

    async def set_operative(self, cp_id: str, operative: bool) -> ChargePoint:
        """Take out of service, or put back; an engine that cannot be reached is told later.

        Returns the charge point. Raises UnknownChargePoint.
        """

        async def work(tx: Tx) -> Applied:
            return await operator_words.set_operative(tx, cp_id, self.party, operative=operative)

        try:
            applied = await self.store.transact(work)
        except registration_records.NotRegistered:
            raise UnknownChargePoint(cp_id) from None
        self._tell_in_background(applied.charge_point)
        return applied.charge_point

    async def endpoint(self, cp_id: str) -> Endpoint | None:
        """Where the charge point's engine listens; None if it never registered here."""
        charge_point = await self._engines.get(cp_id)
        if charge_point is None or not charge_point.get("command_key"):
            return None
        key = self._vault.open(charge_point["command_key"])
        return Endpoint(
            charge_point["host"],
            charge_point["port"],
            key,
            charge_point.get("engine_fingerprint"),
        )

    async def _charge_points(self, cp_ids: Sequence[str]) -> Mapping[str, ChargePoint]:
        return {one["_id"]: one for one in await charge_points.some(self.db, cp_ids)}

    def _tell_in_background(self, charge_point: ChargePoint) -> None:
        """The caller's answer must not wait for an engine."""
        cp_id = charge_point["_id"]
        if cp_id in self._telling:
            # The one under way may carry the older word.
            self._told_next[cp_id] = charge_point
            return
        task = asyncio.create_task(self._tell(cp_id, charge_point["operative"]))
        self._telling[cp_id] = task
        task.add_done_callback(lambda done: self._told_one(cp_id, done))

    def _told_one(self, cp_id: str, done: asyncio.Task[bool]) -> None:
        self._telling.pop(cp_id, None)
        waiting = self._told_next.pop(cp_id, None)
        if waiting is not None and not done.cancelled() and done.result() != waiting["operative"]:
            self._tell_in_background(waiting)

    async def _tell(self, cp_id: str, operative: bool) -> bool:
        """The word that was to be told."""
        try:
            if not await self.link.knows(cp_id):
                return operative
            answer = await self.link.set_operative(cp_id, str(uuid.uuid4()), operative=operative)
            if answer.accepted:
                await self.apply(cp_id, OperativeTold(operative))
            else:
                logger.warning("CP %s: set_operative answered %s", cp_id, answer.result.value)
        except _TOLD_LATER as error:
            logger.warning("CP %s: not told of its service yet: %s", cp_id, error)
        except Exception:  # nobody awaits this task: its error would be lost
            logger.exception("CP %s: telling it of its service failed", cp_id)
        return operative
