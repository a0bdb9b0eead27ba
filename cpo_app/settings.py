"""Every setting of the servers, read from the environment (or `.env`) in this one place.

The charge point's own settings live with it (`cpo_app/charge_point/settings.py`): it runs on
another host. Names without prefix are the library's own or EV_Registry's guide's; see
docs/configuration.md.
"""

import json
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseSettings, Field, ValidationError, validator

from cpo_app.front_door.trusted_proxies import TrustedProxies
from cpo_app.notice_settings import parse_addresses, parse_smtp_url, parse_webhooks
from cpo_app.setting_values import (
    check_country_code,
    check_host,
    check_log_format,
    check_log_level,
    check_party_id,
    check_port,
    check_prefix,
)
from domain.sessions.session_rules import Rules

MIN_SESSION_DETAILS_DAYS = 30
"""Until then news of a session may come, and correct its bill."""


class Party(NamedTuple):
    """A CPO party that this platform hosts."""

    country_code: str
    party_id: str
    name: str

    @property
    def key(self) -> str:
        """Folded, as owners are kept: "nl*evc"."""
        return f"{self.country_code}*{self.party_id}".lower()


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the variable and what is wrong."""


class Settings(BaseSettings):
    # Store
    CPO_MONGO_URL: str = ""
    CPO_DATA_DIR: Path = Path("cpo-data")
    CPO_EMBEDDED: bool = False
    """Set by `cpo up` and `cpo serve` for their children: CPO_MONGO_URL is the embedded server."""
    # Secrets
    CPO_ENCRYPTION_KEY: str = ""
    CPO_ENCRYPTION_KEYS: str = ""
    """The newest first, parted by commas; CPO_ENCRYPTION_KEY is the oldest."""
    CPO_ADMIN_PASSWORD: str = ""
    CPO_LOGIN_IDLE_S: int = Field(default=3600, ge=60, le=30 * 24 * 3600)
    """A login on the console ends when it was not used for so long."""
    CPO_LOGIN_MAX_S: int = Field(default=12 * 3600, ge=60, le=30 * 24 * 3600)
    """A login ends so long after it began, used or not."""
    CPO_OIDC_ISSUER: str = ""
    """An OpenID Connect provider by which people sign in on the console; empty: none."""
    CPO_OIDC_CLIENT_ID: str = ""
    CPO_OIDC_CLIENT_SECRET: str = ""
    CPO_OIDC_ROLE_CLAIM: str = "groups"
    """The claim of the ID token that CPO_OIDC_ROLES goes by."""
    CPO_OIDC_ROLES: str = ""
    """"staff=operator, bosses=admin": which value of the claim has which role."""
    # Development
    CPO_ALLOW_PRIVATE_URLS: bool = False
    # Logs
    CPO_LOG_LEVEL: str = "INFO"
    CPO_LOG_FORMAT: str = "text"
    # OCPI
    OCPI_HOST: str = ""
    PROTOCOL: str = "http"
    CPO_ALLOW_PLAIN_HTTP: bool = False
    """Development: http although OCPI_HOST is public."""
    OCPI_PREFIX: str = "ocpi"
    COUNTRY_CODE: str = "DE"
    PARTY_ID: str = "CPO"
    PROJECT_NAME: str = "OCPI CPO backend"
    COMMAND_AWAIT_TIME: int = Field(default=30, ge=1, le=300)
    NO_AUTH: bool = False
    CPO_PARTIES: str = ""
    """JSON list [{"country_code","party_id","name"}] or "NL/EVC=Name, DE/ABC=Name"; the first
    is the platform's own. Empty: COUNTRY_CODE, PARTY_ID, PROJECT_NAME."""
    CPO_PAGE_LIMIT: int = Field(default=50, ge=1, le=1000)
    CPO_PAGE_LIMIT_MAX: int = Field(default=250, ge=1, le=10000)
    CPO_MAX_BODY_BYTES: int = Field(default=1_000_000, ge=10_000)
    CPO_MAX_CONNECTIONS: int = Field(default=4000, ge=16)
    """Of one process; less where it may not open so many files."""
    CPO_MAX_CONNECTIONS_PER_ADDRESS: int = Field(default=1000, ge=8)
    CPO_TRUSTED_PROXIES: str = ""
    """Addresses and networks whose X-Forwarded-For and -Proto are believed; empty: nobody's."""
    CPO_CLIENT_CERTIFICATE_HEADER: str = Field(default="", regex=r"^[A-Za-z0-9-]*\Z")
    """In which header those proxies name the client certificate that they have verified."""
    CPO_MAX_FAILURES_PER_MINUTE: int = Field(default=30, ge=0)
    """Wrong tokens, passwords and credentials from one address at one door; 0: any number."""
    CPO_PEER_REQUESTS_AT_ONCE: int = Field(default=8, ge=1, le=1000)
    """Of one peer, in work in one process; a quarter of all places. More wait."""
    CPO_PEER_REQUESTS_PER_MINUTE: int = Field(default=0, ge=0)
    """Of one peer, in one process; 0: any number."""
    CPO_PEER_TIMEOUT_S: float = Field(default=10.0, gt=0, le=120)
    CPO_ROTATION_GRACE_S: int = Field(default=3600, ge=0, le=3600)
    CPO_ROTATE_TOKENS_DAYS: float = Field(default=0, ge=0, le=3650)
    """Tokens with peers are exchanged when ours is so old; 0: by `cpo peers rotate` only."""
    CPO_INVITATION_DAYS: float = Field(default=7, gt=0, le=365)
    """An invitation that nobody has used ends then."""
    CPO_APPROVE_PEERS: bool = False
    """An invitation that names no party stands for whichever registers with it (never as HUB)."""
    CPO_PUSH: bool = True
    CPO_PUSH_ON_CONNECT: bool = False
    CPO_TOKEN_PULL_INTERVAL_S: float = Field(default=6 * 3600, ge=0)
    """How often each eMSP's tokens are fetched besides being pushed, give or take a tenth; 0:
    never."""
    CPO_MAX_TOKENS_PER_PEER: int = Field(default=1_000_000, ge=0)
    """Of one peer, in one pull; a peer that has more is not pulled on; 0: any number."""
    # EV_Registry
    REGISTRY_API_PORT: int = 8080
    REGISTRY_HOST: str = "127.0.0.1"
    REGISTRY_SECRET_KEY: str = ""
    REGISTRY_SECRET_KEYS: str = ""
    """As CPO_ENCRYPTION_KEYS."""
    REGISTRY_ADMIN_API_KEY: str = ""
    REGISTRY_TOKEN_EXPIRATION_HOURS: float = Field(default=24, gt=0)
    REGISTRY_TLS_ENABLED: bool = False
    REGISTRY_TLS_CERT_FILE: str = ""
    REGISTRY_TLS_KEY_FILE: str = ""
    REGISTRY_TLS_CLIENT_CA_FILE: str = ""
    """Whose client certificates are taken: CAs, or self-signed ones themselves (PEM)."""
    REGISTRY_REQUIRE_CERTIFICATE: bool = False
    """Charge points register and authenticate with a client certificate only."""
    REGISTRY_PUBLIC_LISTING: bool = False
    """GET /cp and /cp/{cp_id} for everybody, as EV_Registry's guide has it."""
    REGISTRY_LOG_LEVEL: str = "INFO"
    # EV_Central
    CENTRAL_PORT: int = 8000
    CENTRAL_HOST: str = "127.0.0.1"
    CENTRAL_TLS_ENABLED: bool = False
    CENTRAL_TLS_CERT_FILE: str = ""
    CENTRAL_TLS_KEY_FILE: str = ""
    CENTRAL_TLS_CLIENT_CA_FILE: str = ""
    """As REGISTRY_TLS_CLIENT_CA_FILE."""
    CENTRAL_REGISTRY_SECRET_KEY: str = ""
    CENTRAL_REQUIRE_CP_TOKEN: bool = True
    CENTRAL_ALLOW_UNREGISTERED: bool = False
    """Take charge points that EV_Registry does not know (with CENTRAL_REQUIRE_CP_TOKEN=false)."""
    CENTRAL_ENGINE_NETWORKS: str = "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7"
    """The private networks where engines may be reached; public addresses always may."""
    CENTRAL_ENGINE_PLAIN_HTTP: bool = False
    """Command engines in the clear that have no certificate; those on this host may be, always."""
    CENTRAL_HEARTBEAT_INTERVAL_S: float = Field(default=5.0, gt=0, le=3600)
    """What a monitor is asked for that has no interval of its own."""
    CENTRAL_HEARTBEAT_MISSED: int = Field(default=5, ge=1)
    CENTRAL_MAX_REQUESTS: int = Field(default=256, ge=1)
    """Of charge points, worked on at once in one process; others hear 503. Heartbeats without news
    do not count."""
    CENTRAL_SWEEP_AFTER_S: int = Field(default=600, ge=1)
    """A running session of which nothing was heard for this long is suspect."""
    CENTRAL_PENDING_TIMEOUT_S: int = Field(default=180, ge=1)
    """A session that has not begun this long after its start was allowed is suspect. Longer
    than the charge points wait for a car (CP_ENGINE_PLUG_TIMEOUT)."""
    CENTRAL_ESTIMATE_AFTER_DAYS: float = Field(default=7.0, gt=0, le=365)
    """A session that has been suspect for this long is closed on what was measured."""
    CENTRAL_MAX_POWER_FACTOR: float = Field(default=1.1, ge=0, le=1_000_000)
    """A session with more energy than so many times what its connector can give is held; 0: no."""
    CPO_SESSION_UPDATE_S: float = Field(default=10.0, ge=0, le=3600)
    """A running Session that merely grows is published no more often than this."""
    CPO_PROFILE_REQUESTS_PER_MINUTE: int = Field(default=60, ge=0)
    """Charging profile requests on one session, then TOO_OFTEN; 0: any number."""
    CPO_CDR_ZERO: bool = True
    """Make a CDR of a session that cost nothing, too."""
    CPO_AUDIT_DAYS: float = Field(default=3650, ge=0)
    """For so long entries of the audit log are kept; 0: for ever."""
    CPO_RECONCILE_REGISTERS_S: int = Field(default=3600, ge=0)
    """How often registers are held against sessions and CDRs; 0: only when asked to."""
    CPO_RECONCILE_CDRS_HOUR: int = Field(default=3, ge=-1, le=23)
    """At this hour (UTC) it is proven that peers have their CDRs; -1: only when asked to."""
    CPO_RECONCILE_DAYS: int = Field(default=35, ge=1, le=3660)
    """How far back reconciliation looks, unless it is told."""
    CPO_KEEP_STATUS_HISTORY_DAYS: int = Field(default=400, ge=0, le=36_600)
    """Changes of EVSEs' status are kept for so long; 0: for ever. Uptime is told for that time."""
    CPO_KEEP_SESSION_DETAILS_DAYS: int = Field(default=400, ge=0, le=36_600)
    """How a session ran, beside its CDR, is kept for so long (30 days or more); 0: for ever."""
    CPO_KEEP_RESERVATIONS_DAYS: int = Field(default=90, ge=0, le=36_600)
    """Reservations that are over are kept for so long; 0: for ever."""
    CPO_STATEMENT_TIME_ZONE: str = "UTC"
    """Where the months of statements begin and end: an IANA name."""
    CPO_TRANSPARENCY_URL: str = "https://transparenz.software/"
    """Where drivers can check signed meter data: `url` of the SignedData in CDRs; empty: none."""
    # Notices
    CPO_WEBHOOKS: str = ""
    """Who is told of trouble: "https://host/path SECRET, ..." or a JSON list of {url, secret}."""
    CPO_WEBHOOKS_PRIVATE: bool = False
    """Webhooks may lie on private addresses, and may be plain http."""
    CPO_SMTP_URL: str = ""
    """smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465"""
    CPO_MAIL_FROM: str = ""
    CPO_MAIL_TO: str = ""
    """Addresses, parted by commas."""
    CENTRAL_AUTHORIZE_TIMEOUT_S: float = Field(default=5.0, gt=0)
    CENTRAL_REALTIME_ALLOWED: bool = False
    """Ask the eMSP in real time for tokens with whitelist ALLOWED, too."""

    class Config:
        env_file = ".env"
        case_sensitive = True

    @validator("CPO_KEEP_SESSION_DETAILS_DAYS")
    def _until_it_is_settled(cls, days: int) -> int:
        if 0 < days < MIN_SESSION_DETAILS_DAYS:
            raise ValueError(f"is 0 (for ever) or at least {MIN_SESSION_DETAILS_DAYS}")
        return days

    @validator("CPO_WEBHOOKS")
    def _webhooks(cls, value: str) -> str:
        parse_webhooks(value)
        return value

    @validator("CPO_SMTP_URL")
    def _smtp_url(cls, value: str) -> str:
        parse_smtp_url(value)
        return value

    @validator("CPO_MAIL_FROM", "CPO_MAIL_TO")
    def _addresses(cls, value: str) -> str:
        parse_addresses(value)
        return value

    @validator("CPO_MAIL_TO", always=True)
    def _mail_is_whole(cls, value: str, values: dict[str, object]) -> str:
        given = (values.get("CPO_SMTP_URL"), values.get("CPO_MAIL_FROM"), value)
        if any(given) and not all(given):
            raise ValueError("CPO_SMTP_URL, CPO_MAIL_FROM and CPO_MAIL_TO are set together")
        return value

    @validator("CPO_TRUSTED_PROXIES")
    def _trusted_proxies(cls, value: str) -> str:
        return str(TrustedProxies.of(value))

    @validator("CENTRAL_ENGINE_NETWORKS")
    def _networks(cls, value: str) -> str:
        for text in filter(None, map(str.strip, value.split(","))):
            ip_network(text)
        return value

    @validator("COUNTRY_CODE")
    def _country_code(cls, value: str) -> str:
        return check_country_code(value)

    @validator("PARTY_ID")
    def _party_id(cls, value: str) -> str:
        return check_party_id(value)

    @validator("OCPI_HOST")
    def _host(cls, value: str) -> str:
        return check_host(value) if value else value

    @validator("OCPI_PREFIX")
    def _prefix(cls, value: str) -> str:
        return check_prefix(value)

    @validator("CENTRAL_PORT", "REGISTRY_API_PORT")
    def _port(cls, value: int) -> int:
        return check_port(value)

    @validator("CPO_LOG_LEVEL", "REGISTRY_LOG_LEVEL")
    def _log_level(cls, value: str) -> str:
        return check_log_level(value)

    @validator("CPO_LOG_FORMAT")
    def _log_format(cls, value: str) -> str:
        return check_log_format(value)

    @validator("CPO_PARTIES")
    def _parties(cls, value: str) -> str:
        parse_parties(value)
        return value

    @validator("PROTOCOL")
    def _protocol(cls, value: str) -> str:
        if value not in ("http", "https"):
            raise ValueError("is http or https")
        return value

    @property
    def ocpi_host(self) -> str:
        return self.OCPI_HOST or f"127.0.0.1:{self.CENTRAL_PORT}"

    @property
    def engines_on_this_host(self) -> bool:
        """Whether charge points may stand on this very host: in development, or where Central
        listens to nobody else."""
        local = self.CENTRAL_HOST in ("127.0.0.1", "::1", "localhost")
        return local or self.CPO_EMBEDDED or self.CPO_ALLOW_PRIVATE_URLS

    @property
    def base_url(self) -> str:
        """Where peers reach us, without a slash at the end."""
        return f"{self.PROTOCOL}://{self.ocpi_host}"

    @property
    def versions_url(self) -> str:
        return f"{self.base_url}/{self.OCPI_PREFIX}/versions"

    @property
    def encryption_keys(self) -> tuple[str, ...]:
        """The newest first."""
        return _keys(self.CPO_ENCRYPTION_KEYS, self.CPO_ENCRYPTION_KEY)

    @property
    def registry_secrets(self) -> tuple[str, ...]:
        """The keys of charge points' tokens: the first signs, all are accepted."""
        return _keys(self.REGISTRY_SECRET_KEYS, self.REGISTRY_SECRET_KEY)

    @property
    def central_secrets(self) -> tuple[str, ...]:
        """The keys that charge points' tokens are checked with: EV_Registry's."""
        if self.CENTRAL_REGISTRY_SECRET_KEY:
            return _keys(self.REGISTRY_SECRET_KEYS, self.CENTRAL_REGISTRY_SECRET_KEY)
        return self.registry_secrets

    @property
    def central_secret(self) -> str:
        """The newest of them; empty: there is none."""
        return next(iter(self.central_secrets), "")

    @property
    def session_rules(self) -> Rules:
        """What the settings say of sessions: for everybody who changes one."""
        return Rules(
            update_every_s=self.CPO_SESSION_UPDATE_S,
            cdr_zero=self.CPO_CDR_ZERO,
            transparency_url=self.CPO_TRANSPARENCY_URL,
            max_power_factor=self.CENTRAL_MAX_POWER_FACTOR,
        )

    @property
    def parties(self) -> list[Party]:
        """The parties that this platform hosts, its own first."""
        return parse_parties(self.CPO_PARTIES) or [
            Party(self.COUNTRY_CODE, self.PARTY_ID, self.PROJECT_NAME)
        ]


def settings_refused(error: ValidationError) -> str:
    """A line for each value that cannot be used: which it is, and what is wrong with it."""
    return "\n".join(
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()
    )


def _keys(several: str, one: str) -> tuple[str, ...]:
    given = [key.strip() for key in several.split(",")]
    return tuple(dict.fromkeys(key for key in (*given, one) if key))


def parse_parties(text: str) -> list[Party]:
    """Parties out of CPO_PARTIES; raises ValueError that says which entry is wrong."""
    if not text.strip():
        return []
    if text.lstrip().startswith("["):
        try:
            rows: list[Any] = json.loads(text)
            parties = [
                Party(row["country_code"], row["party_id"], row.get("name") or row["party_id"])
                for row in rows
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"not a list of parties ({type(error).__name__})") from error
    else:
        parties = [_party(entry.strip()) for entry in text.split(",") if entry.strip()]
    for party in parties:
        check_country_code(party.country_code)
        check_party_id(party.party_id)
    return parties


def _party(entry: str) -> Party:
    key, _, name = entry.partition("=")
    country_code, slash, party_id = key.strip().partition("/")
    if not slash:
        raise ValueError(f"{entry!r} is not of the form CC/PID=Name")
    return Party(country_code, party_id, name.strip() or party_id)
