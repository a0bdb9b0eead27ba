"""What `cpo ocpp` runs: the gateway of OCPP stations, with EV_Central's side beside it, on a store.

Composition only. Central's sweepers, watch and commands run in `cpo serve`; here is what takes in
what stations say.
"""

from __future__ import annotations

import logging

from auth.charge_point_credentials import CredentialHashes
from auth.station_access import StationAccess
from auth.station_authority import AuthorityUnusable, StationAuthority
from auth.throttle import Throttle
from cpo_app.backend import Backend
from cpo_app.central.charging import rules_of
from cpo_app.central.service import Central
from cpo_app.front_door.tls import ServerTls
from cpo_app.loop_lag import LoopLag
from cpo_app.ocpi.peer_services.realtime_authorization import RealtimeAuthorization
from cpo_app.ocpp import operations
from cpo_app.ocpp.gateway import Door, Gateway
from cpo_app.server_presence import GATEWAY, ServerPresence
from cpo_app.settings import Settings, SettingsError
from domain.authorization.authorization import Authorizer
from domain.places import geonames
from domain.upgrades.readiness import until_ready

logger = logging.getLogger("cpo.ocpp")


class Side:
    """EV_Central as the gateway sees it."""

    def __init__(self, central: Central, authorizer: Authorizer) -> None:
        self.party = central.party
        self.rules = rules_of(central.settings)
        self.authorizer = authorizer
        self.heartbeat = central.heartbeat
        self.take_in = central.telemetry.take_in
        self.pressing = central.precedence.pressing
        self.give_way = central.precedence.give_way


class OcppProcess:
    """Start and stop of a gateway and what it needs."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._presence: ServerPresence | None = None
        self._loop_lag = LoopLag()
        settings = backend.settings
        emsps = RealtimeAuthorization(
            backend.peers, backend.client, backend.authenticator.may_speak_for
        )
        authorizer = Authorizer(
            backend.store,
            emsps,
            timeout_s=settings.CENTRAL_AUTHORIZE_TIMEOUT_S,
            realtime_allowed=settings.CENTRAL_REALTIME_ALLOWED,
        )
        self.central = Central(
            backend.store,
            settings,
            backend.vault,
            admit=backend.authenticator.admit_charge_point,
            operators=backend.operator_guard,
        )
        access = StationAccess(
            backend.store,
            CredentialHashes(*settings.encryption_keys, *settings.registry_secrets),
            Throttle("ocpp", settings.CPO_MAX_FAILURES_PER_MINUTE, backend.db),
            onboarding=settings.CPO_OCPP_ONBOARDING == "held",
        )
        side = Side(self.central, authorizer)
        self.gateway = Gateway(
            backend.store,
            settings,
            side,
            access,
            backend.operator_guard.access,
            operations.carry_out,
            authority=authority_of(settings),
        )

    async def start(self, doors: list[Door], *, shared: bool = False) -> None:
        """Returns when stations may connect."""
        # The gazetteer takes a second to load: not while a station waits for its answer.
        await geonames.loaded()

        async def begin() -> None:
            self.central.heartbeats.rounds.start()

        await until_ready(self._backend.store, begin)
        await self.gateway.start(doors, shared=shared)
        for door in doors:
            kind = "without TLS" if door.tls is None else "with TLS"
            logger.info("OCPP stations connect at port %d, %s", door.port, kind)
        db, settings = self._backend.db, self._backend.settings
        self._presence = ServerPresence(db, GATEWAY, doors[0].port, settings)
        self._presence.start()
        self._loop_lag.start()

    async def stop(self) -> None:
        self._loop_lag.stop()
        if self._presence is not None:
            await self._presence.stop()
        await self.gateway.stop()
        await self.central.stop()
        await self._backend.aclose()


def authority_of(settings: Settings) -> StationAuthority | None:
    """The CA that signs stations' certificates; None: there is none. Raises SettingsError."""
    certificate, key = settings.CPO_OCPP_CA_CERT_FILE, settings.CPO_OCPP_CA_KEY_FILE
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise SettingsError("CPO_OCPP_CA_CERT_FILE and CPO_OCPP_CA_KEY_FILE belong together")
    try:
        return StationAuthority.of_files(certificate, key, settings.CPO_OCPP_CA_DAYS)
    except AuthorityUnusable as error:
        raise SettingsError(f"CPO_OCPP_CA_CERT_FILE / CPO_OCPP_CA_KEY_FILE: {error}") from None


def doors_of(settings: Settings) -> list[Door]:
    """Where stations connect. Raises SettingsError."""
    doors = [Door(settings.CPO_OCPP_HOST, settings.CPO_OCPP_PORT)]
    if settings.CPO_OCPP_TLS_PORT:
        context = ServerTls.of_ocpp(settings).context()
        doors.append(Door(settings.CPO_OCPP_HOST, settings.CPO_OCPP_TLS_PORT, context))
    return doors
