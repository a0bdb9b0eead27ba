"""The process that holds stations' connections: lets them in, keeps its lease, and ends.

A station has one connection, the newest, wherever it is. What the process holds is its own as long
as it renews its lease (domain/ocpp/connections.py); what has gone elsewhere meanwhile is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import platform
import ssl
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from auth.operator_access import OperatorAccess
from auth.station_access import StationAccess, came_in_with
from auth.station_authority import StationAuthority
from cpo_app.addresses.networks import Networks
from cpo_app.front_door.doorkeeper import Doorkeeper, most_connections
from cpo_app.ocpp import metrics, v16, v21, v201
from cpo_app.ocpp.central_side import CentralSide
from cpo_app.ocpp.charging.gathered_readings import GatheredReadings
from cpo_app.ocpp.configuring import Configuring
from cpo_app.ocpp.connection import GOING_AWAY, TRY_AGAIN, Connection
from cpo_app.ocpp.handlers import Handler, Incoming
from cpo_app.ocpp.handshake import Admitted, Handshake
from cpo_app.ocpp.http_answers import HttpAnswers, answered
from cpo_app.ocpp.long_lived import LongLived
from cpo_app.ocpp.presence import Presence
from cpo_app.ocpp.question_desk import CarryOut, QuestionDesk
from cpo_app.ocpp.signing import Certifying
from cpo_app.ocpp.sockets import OPEN_WITHIN_S, QUIET, StationSocket, sockets_of
from cpo_app.settings import Settings
from db_interface.clocks import uptime_s
from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from domain.notices import certificates as seen
from domain.ocpp import connections, stations
from domain.ocpp.message_log import MessageLog
from domain.ocpp.quirks import wall_clock
from domain.operators.actor import Actor, ActorKind, acting_as
from domain.rounds import Rounds

logger = logging.getLogger("cpo.ocpp")

MAX_FRAME_BYTES = 1024 * 1024
"""A device model's report, or a local list, is the largest that there is."""
CLOSED_WITHIN_S = 1.0
STOPPED_WITHIN_S = 1.5
BACKLOG = 4096
"""A gateway that starts again is found by all of its stations at once."""
SWEPT_EVERY_S = 30.0
NOTED_EVERY_S = 5.0
FAREWELLS_S = 5.0
STORE_WORK_AT_ONCE = 64
"""Of all stations of a process, in the store: where thousands come at once, each is quick when its
turn comes, instead of all of them too slow."""

HANDLERS: Mapping[str, Mapping[str, Handler]] = {
    "ocpp1.6": v16.HANDLERS,
    "ocpp2.0.1": v201.HANDLERS,
    "ocpp2.1": v21.HANDLERS,
}


@dataclass(frozen=True)
class Door:
    """An address that the gateway listens on."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


class Gateway:
    """`carry_out` asks a station what the store says that it is to be asked. `authority` signs
    stations' certificates; None: nobody does."""

    def __init__(
        self,
        store: DbInterface,
        settings: Settings,
        central: CentralSide,
        access: StationAccess,
        operators: OperatorAccess,
        carry_out: CarryOut,
        *,
        authority: StationAuthority | None = None,
        handlers: Mapping[str, Mapping[str, Handler]] = HANDLERS,
    ) -> None:
        self.id = f"{platform.node()[:40]}-{uuid.uuid4().hex[:12]}"
        self.held: dict[str, Connection] = {}
        """Connections by station."""
        self._store = store
        self._db = store.db
        self._settings = settings
        self._central = central
        self._handlers = handlers
        self._readings = GatheredReadings(store, central.rules, central.give_way)
        self._handshake = Handshake(
            access,
            plain_networks=settings.CPO_OCPP_PLAIN_NETWORKS,
            proxies=Networks.of(settings.CPO_TRUSTED_PROXIES),
        )
        self._door = Doorkeeper(
            most_connections(settings.CPO_MAX_CONNECTIONS),
            settings.CPO_MAX_CONNECTIONS_PER_ADDRESS,
            self._handshake.may_fill_the_house,
        )
        self._http = HttpAnswers(operators, self.has_lease)
        self._room = asyncio.Semaphore(STORE_WORK_AT_ONCE)
        self._gone: dict[str, str] = {}
        """Closed connections of which the store is to be told, with their stations."""
        self._certificates: dict[str, datetime] = {}
        """When those end that stations have shown just now."""
        self._long_lived = LongLived()
        self._servers: list[Server] = []
        self._lease_until = 0.0
        """By this host's uptime: no later than the database has it."""
        self._renewing = Rounds(
            "OCPP leases", self._renew, connections.RENEWED_EVERY_S, logger=logger
        )
        self._sweeping = Rounds("OCPP sweep", self._sweep, SWEPT_EVERY_S, logger=logger)
        self._farewells = Rounds("OCPP farewells", self._let_go, FAREWELLS_S, logger=logger)
        self._noting = Rounds("OCPP last messages", self._note, NOTED_EVERY_S, logger=logger)
        self._presence = Presence(self.held, central, settings.CPO_OCPP_PING_S)
        self._log = MessageLog(
            store.db,
            per_station=settings.CPO_OCPP_LOG_MESSAGES,
            days=settings.CPO_OCPP_LOG_DAYS,
        )
        self._desk = QuestionDesk(store.db, self.held, carry_out, self.has_lease)
        self._certifying = Certifying(store, self.held, authority)
        self._configuring = Configuring(
            store, self.held, carry_out, every_s=settings.CPO_OCPP_CONFIGURATION_S
        )

    async def start(self, doors: Sequence[Door], *, shared: bool = False) -> None:
        """Listen. `shared`: other processes do so, too. Raises OSError for a port that is taken."""
        await self._renew()
        for door in doors:
            server = await serve(
                self._serve,
                door.host,
                door.port,
                ssl=door.tls,
                reuse_port=shared or None,
                backlog=BACKLOG,
                create_connection=sockets_of(self._door),
                process_request=self._judge,
                select_subprotocol=_subprotocol,
                compression=None,
                max_size=MAX_FRAME_BYTES,
                max_queue=4,
                open_timeout=OPEN_WITHIN_S,
                ping_interval=None,
                close_timeout=CLOSED_WITHIN_S,
                server_header=None,
                logger=QUIET,
            )
            self._servers.append(server)
        for rounds in self._rounds:
            rounds.start()
        self._desk.start()

    @property
    def _rounds(self) -> tuple[Rounds, ...]:
        own = (self._renewing, self._sweeping, self._noting, self._farewells)
        more = (self._presence, self._log, self._configuring, self._certifying)
        return (*own, *(one.rounds for one in more))

    @property
    def ports(self) -> list[int]:
        """Where it listens, door by door."""
        return [server.sockets[0].getsockname()[1] for server in self._servers if server.sockets]

    async def stop(self) -> None:
        """Close all connections: their stations connect to who is left."""
        for rounds in self._rounds:
            await rounds.stop()
        await self._configuring.stop()
        await self._desk.stop()
        for server in self._servers:
            server.close(code=GOING_AWAY, reason="restarting")
        if self._servers:
            closed = [asyncio.create_task(server.wait_closed()) for server in self._servers]
            # Whoever does not answer the farewell is not waited for.
            _, late = await asyncio.wait(closed, timeout=STOPPED_WITHIN_S)
            for task in late:
                task.cancel()
        self._servers.clear()
        with contextlib.suppress(*STORE_ERRORS), self._db.no_waiting():
            await connections.leave(self._db, self.id)
            await self._log.write()

    async def _judge(self, socket: ServerConnection, request: Request) -> Response | None:
        assert isinstance(socket, StationSocket)  # noqa: S101 (create_connection)
        socket.being_judged()
        client = self._handshake.client(request, socket.address)
        if client.by_proxy and not socket.is_of(client.address):
            return answered(429, b"too many connections\n")
        tls: ssl.SSLObject | None = socket.transport.get_extra_info("ssl_object")
        plain = await self._http.answer(request, client.address)
        if plain is not None:
            return plain
        judged = await self._handshake.judge(request, client, tls)
        if isinstance(judged, Response):
            return judged
        socket.admitted = judged
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        assert isinstance(socket, StationSocket) and socket.admitted is not None  # noqa: S101
        admitted = socket.admitted
        with acting_as(Actor(ActorKind.CHARGE_POINT, admitted.station["_id"])):
            try:
                await self._hold(socket, admitted)
            except STORE_ERRORS as error:
                logger.warning("%s cannot be held: %s", admitted.station["_id"], error)
                await socket.close(TRY_AGAIN, "try again later")

    async def _hold(self, socket: StationSocket, admitted: Admitted) -> None:
        async with self._room:
            station = await stations.came_in(
                self._db,
                admitted.station,
                protocol=admitted.protocol,
                profile=admitted.shown.profile,
                fingerprint=came_in_with(admitted.shown),
            )
        connection = Connection(
            socket,
            station,
            admitted.protocol,
            handlers=self._handlers.get(admitted.protocol, {}),
            incoming=self._incoming,
            now=self._db.now,
            has_lease=self.has_lease,
            log=self._log,
            call_timeout_s=self._settings.CPO_OCPP_CALL_TIMEOUT_S,
            renewed=self._read_anew,
        )
        if admitted.shown.certificate is not None:
            self._certificates[connection.station_id] = admitted.shown.certificate.ends
        connection.wall_clock = await wall_clock(self._store, station)
        async with self._room:
            before = await connections.take(
                self._db,
                {
                    "_id": connection.station_id,
                    "connection": connection.id,
                    "holder": self.id,
                    "protocol": connection.protocol,
                    "address": admitted.shown.address,
                    "since": connection.since,
                },
            )
        older = self.held.get(connection.station_id)
        self.held[connection.station_id] = connection
        metrics.HELD.labels(connection.protocol).inc()
        if before is not None:
            metrics.REPLACED.inc()
        closing = None if older is None else asyncio.create_task(_close_older(older))
        try:
            self._presence.connected(connection)
            self._long_lived.came(len(self.held))
            self._certifying.look_for(connection.station_id)
            await connection.run()
        finally:
            if self.held.get(connection.station_id) is connection:
                del self.held[connection.station_id]
            if closing is not None:
                await closing
            self._gone[connection.id] = connection.station_id
            self._long_lived.went()
            self._farewells.wake()

    def _incoming(self, connection: Connection, message_id: str) -> Incoming:
        return Incoming(
            connection=connection,
            central=self._central,
            store=self._store,
            settings=self._settings,
            received_at=self._db.now(),
            message_id=message_id,
            readings=self._readings,
            certifying=self._certifying,
            room=self._room,
        )

    async def _read_anew(self, connection: Connection) -> None:
        station = await stations.get(self._db, connection.station_id)
        if station is not None:
            connection.station = station
            connection.wall_clock = await wall_clock(self._store, station)

    async def _let_go(self) -> None:
        """Say that they are closed: all at once, for thousands may be."""
        gone = dict(self._gone)
        if gone:
            await connections.let_go(self._db, gone)
            self._gone = {id_: name for id_, name in self._gone.items() if id_ not in gone}

    def has_lease(self) -> bool:
        """Whether what this process holds is its own yet."""
        return uptime_s() < self._lease_until

    async def _renew(self) -> None:
        began = uptime_s()
        await connections.renew(self._db, self.id, platform.node(), len(self.held))
        self._lease_until = began + connections.LEASE_S
        held = {station: connection.id for station, connection in self.held.items()}
        for station in await connections.lost(self._db, self.id, held):
            connection = self.held.get(station)
            if connection is not None and connection.id == held[station]:
                await _close_older(connection)

    async def _note(self) -> None:
        """Write down when their last messages came, and when the certificates end that they have
        shown: all at once."""
        if self._certificates:
            ends, self._certificates = self._certificates, {}
            await seen.note(self._db, seen.CHARGE_POINT, ends)
        heard = {
            station: connection.message_at
            for station, connection in self.held.items()
            if connection.message_at is not None
        }
        await stations.heard(self._db, heard)
        for station, at in heard.items():
            connection = self.held.get(station)
            if connection is not None and connection.message_at == at:
                connection.message_at = None

    async def _sweep(self) -> None:
        gone = await connections.sweep(self._db)
        if gone:
            logger.warning("%d connections of a gateway that has died are let go", gone)


async def _close_older(connection: Connection) -> None:
    with contextlib.suppress(ConnectionClosed):
        await connection.close(GOING_AWAY, "connected elsewhere")


def _subprotocol(socket: ServerConnection, _offered: Sequence[Subprotocol]) -> Subprotocol | None:
    assert isinstance(socket, StationSocket) and socket.admitted is not None  # noqa: S101
    offered = socket.admitted.offered
    return None if offered is None else Subprotocol(offered)
