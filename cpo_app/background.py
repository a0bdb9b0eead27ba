"""Everything that runs beside the requests: Central and its workers, push, token pulls.

Composition and order of start and stop only; each part is its own room's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from cpo_app.backend import Backend
from cpo_app.central.authorization import CardReaders
from cpo_app.central.charging import rules_of
from cpo_app.central.commands import command_parts
from cpo_app.central.service import Central
from cpo_app.central.sweepers.session_stopper import SessionStopper
from cpo_app.central.sweepers.session_sweeper import Sweeper
from cpo_app.forgetting import Forgetting
from cpo_app.loop_lag import LoopLag
from cpo_app.notifying import Notifying
from cpo_app.ocpi.peer_services.hub_client_pull import HubClientPull
from cpo_app.ocpi.peer_services.realtime_authorization import RealtimeAuthorization
from cpo_app.ocpi.peer_services.token_pull import TokenPull
from cpo_app.ocpi.peer_services.token_rotation import TokenRotation
from cpo_app.ocpi.peer_services.unfinished_calls import UnfinishedCalls
from cpo_app.open_data.room import OpenData
from cpo_app.reconciling import Reconciling
from cpo_app.sending_events import SendingEvents
from cpo_app.server_presence import CENTRAL, ServerPresence
from domain.audit.chain import Sealing
from domain.authorization.authorization import Authorizer
from domain.exchanges.bounds import ExchangeBounds
from domain.objects.stretch_cutting import StretchCutting
from domain.open_data.kept_completeness import LookingForGaps
from domain.operator.fleet_samples import FleetSampling
from domain.peers.version_moves import VersionMoves
from domain.places import geonames
from domain.upgrades.readiness import until_ready
from domain.views.filling import ViewFilling
from domain.views.tariff_turns import TariffTurns

logger = logging.getLogger("cpo")


class Background:
    """Central on a backend, with what it needs around it. `start` returns at once."""

    def __init__(self, backend: Backend, open_data: OpenData | None = None) -> None:
        settings = backend.settings
        self._backend = backend
        self._open_data = open_data
        self._starting: asyncio.Task[None] | None = None
        self._presence: ServerPresence | None = None
        self._loop_lag = LoopLag()
        rules = rules_of(settings)
        may_speak_for = backend.authenticator.may_speak_for
        authorizer = Authorizer(
            backend.store,
            RealtimeAuthorization(backend.peers, backend.client, may_speak_for),
            timeout_s=settings.CENTRAL_AUTHORIZE_TIMEOUT_S,
            realtime_allowed=settings.CENTRAL_REALTIME_ALLOWED,
        )
        card_readers = CardReaders(backend.store, settings.parties[0], rules, authorizer)
        self.central = Central(
            backend.store,
            settings,
            backend.vault,
            admit=backend.authenticator.admit_charge_point,
            authorize=card_readers.swiped,
            throttle=backend.central_throttle,
            operators=backend.operator_guard,
        )
        self._sweeper = Sweeper(self.central, rules)
        self._stopper = SessionStopper(self.central)
        self._commands = command_parts.build(
            self.central, backend.results.deliver, [backend.intake]
        )
        self._token_pull = TokenPull(
            backend.store, settings, backend.peers, backend.client, may_speak_for
        )
        self._reconciling = Reconciling(backend.db, settings, backend.cdr_reconciliation)
        self._forgetting = Forgetting(backend.db, settings)
        self._exchange_bounds = ExchangeBounds(
            backend.db, days=settings.CPO_EXCHANGES_DAYS, most=settings.CPO_EXCHANGES_MAX
        )
        self._unfinished = UnfinishedCalls(backend.peers, backend.joining)
        self._rotation = TokenRotation(
            backend.peers, backend.renewal, settings.CPO_ROTATE_TOKENS_DAYS
        )
        self._sealing = Sealing(backend.store, settings.CPO_AUDIT_DAYS)
        self._notifying = Notifying(backend.store, settings)
        self._events = SendingEvents(backend.store, settings)
        self._fleet_sampling = FleetSampling(backend.db)
        self._gaps = LookingForGaps(backend.store, settings.open_data_owners)
        self._views = ViewFilling(backend.store)
        self._stretches = StretchCutting(backend.store)
        self._tariff_turns = TariffTurns(backend.store)
        self._moves = VersionMoves(backend.store)
        self._hub_clients = HubClientPull(backend.store, settings, backend.peers, backend.client)

    def start(self) -> None:
        """Begin once the store answers; requests get 503 until then."""
        self._starting = asyncio.create_task(self._start())

    async def stop(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._starting
        if self._open_data is not None:
            await self._open_data.stop()
        self._loop_lag.stop()
        if self._presence is not None:
            await self._presence.stop()
        await self._events.stop()
        await self._moves.rounds.stop()
        await self._tariff_turns.rounds.stop()
        await self._stretches.rounds.stop()
        await self._views.rounds.stop()
        await self._gaps.rounds.stop()
        await self._fleet_sampling.rounds.stop()
        await self._notifying.stop()
        await self._backend.peer_certificates.rounds.stop()
        await self._sealing.rounds.stop()
        await self._reconciling.rounds.stop()
        await self._forgetting.rounds.stop()
        await self._exchange_bounds.rounds.stop()
        await self._token_pull.stop()
        await self._hub_clients.stop()
        await self._unfinished.rounds.stop()
        await self._rotation.rounds.stop()
        await self._commands.stop()
        await self._stopper.stop()
        await self._sweeper.rounds.stop()
        await self.central.stop()
        await self._backend.aclose()

    async def _start(self) -> None:
        # The gazetteer takes a second to load: not while a charge point waits for its answer.
        await geonames.loaded()
        backend = self._backend

        async def begin() -> None:
            await backend.announce()
            await self.central.start()

        await until_ready(backend.store, begin)
        presence = ServerPresence(
            backend.db, CENTRAL, backend.settings.CENTRAL_PORT, backend.settings
        )
        presence.start()
        self._presence = presence
        self._loop_lag.start()
        self._sweeper.rounds.start()
        self._stopper.rounds.start()
        self._commands.start()
        self._token_pull.start()
        self._reconciling.rounds.start()
        self._forgetting.rounds.start()
        self._exchange_bounds.rounds.start()
        backend.recorder.rounds.start()
        self._sealing.rounds.start()
        self._notifying.start()
        self._fleet_sampling.rounds.start()
        if backend.settings.CPO_OPEN_DATA:
            self._gaps.rounds.start()
        self._backend.peer_certificates.rounds.start()
        self._views.rounds.start()
        self._stretches.rounds.start()
        self._moves.rounds.start()
        self._tariff_turns.rounds.start()
        self._hub_clients.start()
        self._unfinished.rounds.start()
        self._rotation.rounds.start()
        await self._events.start()
        if self._open_data is not None:
            self._open_data.start()
        if backend.settings.CPO_PUSH:
            await backend.push.start()
        logger.info("EV_Central and OCPI are ready: %s", backend.settings.versions_url)
