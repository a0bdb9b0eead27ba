"""The CPO side put together on one store: what `serve` runs and commands use.

Composition only: who gets what. No behaviour lives here. What only the server needs (the OCPI
routes, crud/) is put together in main.py: a command does not load the library.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from auth.authenticator import OcpiAuthenticator
from auth.operator_access import OperatorAccess
from auth.throttle import Throttle
from cpo_app.exchange_recording import counted, recording_rules
from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.peer_services.cdr_reconciliation import CdrReconciliation
from cpo_app.ocpi.peer_services.credentials_exchange import CredentialsExchange
from cpo_app.ocpi.peer_services.joining import Joining
from cpo_app.ocpi.peer_services.registration import Registration
from cpo_app.ocpi.peer_services.renewal import Renewal
from cpo_app.ocpi.peer_services.result_sender import ResultSender
from cpo_app.ocpi.push import Push
from cpo_app.operator_guard import OperatorGuard
from cpo_app.peer_certificates import PeerCertificates
from cpo_app.settings import Settings
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.commands.command_intake import Intake
from domain.exchanges.recorder import Recorder
from domain.operators.logins import Lasting
from domain.peers.peers import Peers
from domain.platform_facts import announce_address, announced_address
from domain.secrets import Vault

_ADDRESS = ("OCPI_HOST", "PROTOCOL")
_PARTIES = ("CPO_PARTIES", "COUNTRY_CODE", "PARTY_ID", "PROJECT_NAME")
_RULES = (
    "CPO_APPROVE_PEERS",
    "CPO_ALLOW_PRIVATE_URLS",
    "OCPI_PREFIX",
    "CPO_OCPI_VERSIONS",
    "CPO_OPEN_DATA",
)
_PORTS = ("CENTRAL_PORT", "REGISTRY_API_PORT")


async def announced(settings: Settings, db: Database) -> Settings:
    """The settings with the servers' address, parties and rules, where the environment names
    none."""
    face: Mapping[str, object] = await announced_address(db)
    given = settings.__fields_set__
    wanted = [
        *(() if settings.OCPI_HOST else _ADDRESS),
        *(() if given.intersection(_PARTIES) else _PARTIES),
        *(name for name in (*_RULES, *_PORTS) if name not in given),
    ]
    return settings.copy(update={name: face[name] for name in wanted if name in face})


class Backend:
    """The parts that meet in the store; made per process, closed with it."""

    def __init__(self, settings: Settings, db: Database, vault: Vault) -> None:
        self.settings = settings
        self.db = db
        self.vault = vault
        self.store = DbInterface(db)
        self.peers = Peers(
            db,
            vault,
            approve_unnamed=settings.CPO_APPROVE_PEERS,
            invitation_days=settings.CPO_INVITATION_DAYS,
        )
        self.authenticator = OcpiAuthenticator(
            db,
            self.peers,
            settings.central_secrets,
            unregistered=settings.CENTRAL_ALLOW_UNREGISTERED,
        )
        failures = settings.CPO_MAX_FAILURES_PER_MINUTE
        self.ocpi_throttle = Throttle("ocpi", failures, db)
        self.central_throttle = Throttle("central", failures, db)
        self.operator_guard = OperatorGuard(
            OperatorAccess(
                db,
                vault.digest,
                admin_password=settings.CPO_ADMIN_PASSWORD,
                throttle=Throttle("operator", failures, db),
                lasting=Lasting(
                    idle=timedelta(seconds=settings.CPO_LOGIN_IDLE_S),
                    at_most=timedelta(seconds=settings.CPO_LOGIN_MAX_S),
                ),
            ),
            https=settings.PROTOCOL == "https",
        )
        self.peer_certificates = PeerCertificates(db)
        self.recorder = Recorder(db, recording_rules(settings), vault.digest, counted)
        self.client = PeerClient(
            allow_private=settings.CPO_ALLOW_PRIVATE_URLS,
            read_timeout_s=settings.CPO_PEER_TIMEOUT_S,
            shown=self.peer_certificates.shown,
            recorder=self.recorder,
        )
        self.push = Push(settings, self.store, self.peers, self.client)
        self.cdr_reconciliation = CdrReconciliation(
            self.store, self.peers, self.client, timeout_s=settings.CPO_PEER_TIMEOUT_S
        )
        exchange = CredentialsExchange(settings, self.peers, self.client, self.authenticator)
        self.registration = Registration(exchange)
        self.joining = Joining(exchange)
        self.renewal = Renewal(exchange)
        self.results = ResultSender(
            self.peers, self.client, allow_private=settings.CPO_ALLOW_PRIVATE_URLS
        )
        own = settings.parties[0]
        self.intake = Intake(
            self.store,
            party={"country_code": own.country_code, "party_id": own.party_id},
            timeout_s=settings.COMMAND_AWAIT_TIME,
            check_url=self.results.check,
        )

    async def announce(self) -> None:
        """Keep where and who this platform is, for commands that run beside the servers."""
        settings = self.settings
        named = {name: getattr(settings, name) for name in (*_PARTIES, *_RULES, *_PORTS)}
        address = {"OCPI_HOST": settings.ocpi_host, "PROTOCOL": settings.PROTOCOL}
        await announce_address(self.db, {**address, **named})

    async def aclose(self) -> None:
        await self.push.stop()
        await self.client.aclose()
        await self.recorder.close()
        self.db.close()
