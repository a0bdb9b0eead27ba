"""EV_Registry: where it listens, and whom it lets in."""

from typing import ClassVar

from pydantic import BaseSettings, validator

from cpo_app.setting_fields import Reader, setting
from cpo_app.setting_values import check_log_level, check_port


class RegistrySettings(BaseSettings):
    """EV_Registry"""

    read_by: ClassVar[Reader] = "registry"

    REGISTRY_API_PORT: int = setting(
        8080,
        "where EV_Registry listens",
        read_by="all",
    )
    REGISTRY_HOST: str = setting(
        "127.0.0.1",
        "the address to listen on; `0.0.0.0` in the image",
    )
    REGISTRY_SECRET_KEY: str = setting(
        "",
        "signs charge points' tokens; 32 bytes or more",
        secret=True,
        read_by="all",
        default_is="made and kept when embedded",
    )
    REGISTRY_SECRET_KEYS: str = setting(
        "",
        "as `CPO_ENCRYPTION_KEYS`: the first signs, all are accepted",
        secret=True,
        read_by="all",
    )
    REGISTRY_ADMIN_API_KEY: str = setting(
        "",
        "once set, new charge points need it (`X-Registry-API-Key`); 16 characters or more",
        secret=True,
    )
    REGISTRY_TOKEN_EXPIRATION_HOURS: float = setting(
        24,
        "for so long a charge point's token is good",
        unit="hours",
        gt=0,
    )
    REGISTRY_PUBLIC_LISTING: bool = setting(
        False,
        "`GET /cp` and `/cp/{cp_id}` for everybody, as in the registry's guide; else with the "
        "admin key or the own token",
    )
    REGISTRY_REQUIRE_CERTIFICATE: bool = setting(
        False,
        "charge points register and authenticate with a client certificate only",
    )
    REGISTRY_TLS_ENABLED: bool = setting(
        False,
        "serve https",
    )
    REGISTRY_TLS_CERT_FILE: str = setting(
        "",
        "its certificate, with what leads to the CA (PEM)",
    )
    REGISTRY_TLS_KEY_FILE: str = setting(
        "",
        "that certificate's key (PEM)",
    )
    REGISTRY_TLS_CLIENT_CA_FILE: str = setting(
        "",
        "ask for client certificates, and take those of these CAs, or these themselves (PEM)",
    )
    REGISTRY_LOG_LEVEL: str = setting(
        "INFO",
        "of EV_Registry's log, as `CPO_LOG_LEVEL`",
    )

    @validator("REGISTRY_API_PORT")
    def _port(cls, value: int) -> int:
        return check_port(value)

    @validator("REGISTRY_LOG_LEVEL")
    def _log_level(cls, value: str) -> str:
        return check_log_level(value)
