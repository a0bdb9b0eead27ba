"""All settings of the servers in one, and what follows from several of them."""

from pydantic import PrivateAttr, ValidationError

from cpo_app.settings.central import CentralSettings
from cpo_app.settings.charging import ChargingSettings
from cpo_app.settings.kafka import KafkaSettings
from cpo_app.settings.notices import NoticeSettings
from cpo_app.settings.ocpi import OcpiSettings
from cpo_app.settings.ocpp import OcppSettings
from cpo_app.settings.open_data import OpenDataSettings
from cpo_app.settings.origins import DEFAULT, MADE, origins_of
from cpo_app.settings.parties import Party, parse_parties
from cpo_app.settings.registry import RegistrySettings
from cpo_app.settings.servers import ServerSettings
from cpo_app.settings.store import StoreSettings
from domain.sessions.session_rules import Rules

GROUPS = (
    StoreSettings,
    ServerSettings,
    OcpiSettings,
    OpenDataSettings,
    ChargingSettings,
    NoticeSettings,
    KafkaSettings,
    RegistrySettings,
    CentralSettings,
    OcppSettings,
)
"""In the order in which they are told of."""


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the variable and what is wrong."""


class Settings(
    OcppSettings,
    CentralSettings,
    RegistrySettings,
    KafkaSettings,
    NoticeSettings,
    ChargingSettings,
    OpenDataSettings,
    OcpiSettings,
    ServerSettings,
    StoreSettings,
):
    """Every setting of the servers."""

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    class Config:
        env_file = ".env"
        case_sensitive = True

    def __init__(self, **given: object) -> None:
        super().__init__(**given)  # type: ignore[arg-type]
        env_file = given.get("_env_file", ".env")
        self._origins = origins_of(self.__fields__, given, str(env_file) if env_file else None)

    def origin(self, name: str) -> str:
        """Where the setting of that name comes from (origins.py)."""
        unknown = MADE if name in self.__fields_set__ else DEFAULT
        return self._origins.get(name, unknown)

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
    def ocpp_url(self) -> str:
        """Where charge points that speak OCPP connect; their id follows after a slash."""
        return (self.CPO_OCPP_URL or f"ws://127.0.0.1:{self.CPO_OCPP_PORT}/ocpp").rstrip("/")

    @property
    def ocpp_files_url(self) -> str:
        """Where stations upload and fetch files; a transfer's secret follows after a slash."""
        return (self.CPO_OCPP_FILES_URL or f"{self.base_url}/ocpp-files").rstrip("/")

    @property
    def max_ocpp_file_bytes(self) -> int:
        return self.CPO_OCPP_MAX_FILE_MB * 1_000_000

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

    @property
    def open_data_owners(self) -> list[str]:
        """The folded keys of the parties whose published objects are open data."""
        named = parse_parties(self.CPO_OPEN_DATA_PARTIES)
        return [party.key for party in named or self.parties]


def settings_refused(error: ValidationError) -> str:
    """A line for each value that cannot be used: which it is, and what is wrong with it."""
    return "\n".join(
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()
    )


def _keys(several: str, one: str) -> tuple[str, ...]:
    given = [key.strip() for key in several.split(",")]
    return tuple(dict.fromkeys(key for key in (*given, one) if key))
