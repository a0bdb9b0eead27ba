"""The gateway of charge points that speak OCPP (`cpo ocpp`)."""

from typing import ClassVar

from pydantic import BaseSettings, validator

from cpo_app.addresses.networks import Networks
from cpo_app.setting_fields import Reader, setting
from cpo_app.setting_values import check_port


class OcppSettings(BaseSettings):
    """Charge points over OCPP"""

    read_by: ClassVar[Reader] = "ocpp"

    CPO_OCPP_PORT: int = setting(
        9000,
        "where charge points connect without TLS (security profile 1), path `/ocpp/{station}`",
        read_by="all",
    )
    CPO_OCPP_HOST: str = setting(
        "127.0.0.1",
        "the address to listen on; `0.0.0.0` in the image",
    )
    CPO_OCPP_PLAIN_NETWORKS: str = setting(
        "",
        "networks from which charge points may connect without TLS, besides this host: "
        "`10.20.0.0/16, fd00::/8`. Passwords and bills travel in the clear there",
    )
    CPO_OCPP_TLS_PORT: int = setting(
        0,
        "where charge points connect with TLS (security profiles 2 and 3); 0: nowhere",
        ge=0,
        le=65535,
    )
    CPO_OCPP_TLS_CERT_FILE: str = setting(
        "",
        "the gateway's certificate, with what leads to the CA (PEM)",
    )
    CPO_OCPP_TLS_KEY_FILE: str = setting(
        "",
        "that certificate's key (PEM)",
    )
    CPO_OCPP_TLS_CLIENT_CA_FILE: str = setting(
        "",
        "take client certificates of these CAs (PEM): security profile 3",
    )
    CPO_OCPP_CA_CERT_FILE: str = setting(
        "",
        "the certificate of a CA of yours (PEM, with what is above it), by which stations that ask "
        "for a certificate have one signed; client certificates of it are taken, too. "
        "`cpo charge-points new-authority` makes one",
        default_is="none: SignCertificate is rejected",
    )
    CPO_OCPP_CA_KEY_FILE: str = setting(
        "",
        "that CA's key (PEM, not encrypted, for the gateway alone to read)",
    )
    CPO_OCPP_CA_DAYS: int = setting(
        365,
        "for so long a station's certificate is good",
        unit="days",
        ge=1,
        le=3650,
    )
    CPO_OCPP_URL: str = setting(
        "",
        "where charge points find the gateway, as `wss://ocpp.example.com/ocpp`: what "
        "`cpo charge-points add --ocpp` prints",
        default_is="`ws://127.0.0.1:9000/ocpp`, with the port above",
        read_by="all",
    )
    CPO_OCPP_FILES_URL: str = setting(
        "",
        "where charge points reach this platform to upload logs and fetch firmware, as "
        "`https://cpo.example.com/ocpp-files`",
        default_is="`/ocpp-files` at `PROTOCOL` and `OCPI_HOST`",
        read_by="all",
    )
    CPO_OCPP_MAX_FILE_MB: int = setting(
        100,
        "the largest log or firmware that is kept for a charge point",
        unit="MB",
        ge=1,
        le=4096,
        read_by="all",
    )
    CPO_OCPP_ONBOARDING: str = setting(
        "off",
        "`held`: a box that nobody has added may connect, is told to wait, and is shown until it "
        "is added; `off`: it is refused",
        regex="^(off|held)$",
    )
    CPO_OCPP_OFFLINE_ALLOWED: bool = setting(
        True,
        "a session that began while its charge point was offline is billed if the token's "
        "whitelist allows it unasked; off: it is held until somebody has looked at it",
    )
    CPO_OCPP_TOTAL_COST: bool = setting(
        False,
        "a station of OCPP 2.0.1 or 2.1 is told with each TransactionEvent what its session costs "
        "by then, with taxes (`totalCost`); each is then taken by itself",
    )
    CPO_OCPP_HEARTBEAT_S: int = setting(
        60,
        "how often a charge point is told to send a heartbeat",
        unit="s",
        ge=10,
        le=86_400,
    )
    CPO_OCPP_PING_S: float = setting(
        30.0,
        "how often the gateway looks whether a connection still stands; a charge point is "
        "UNKNOWN after `CENTRAL_HEARTBEAT_MISSED` of these",
        unit="s",
        ge=1,
        le=3600,
    )
    CPO_OCPP_CALL_TIMEOUT_S: float = setting(
        30.0,
        "for so long a charge point may think about what it is asked; then the next is asked",
        unit="s",
        gt=0,
        le=600,
    )

    CPO_OCPP_CONFIGURATION_S: float = setting(
        6 * 3600.0,
        "how often a charge point's configuration is held against its templates, besides its boots",
        unit="s",
        ge=60,
        le=7 * 86_400,
    )
    CPO_OCPP_LOG_MESSAGES: int = setting(
        1000,
        "messages that are kept for each station, the newest; 0: none",
        ge=0,
        le=100_000,
    )
    CPO_OCPP_LOG_DAYS: float = setting(
        7.0,
        "for so long at most",
        unit="days",
        gt=0,
        le=366,
    )

    @validator("CPO_OCPP_PORT")
    def _ocpp_port(cls, value: int) -> int:
        return check_port(value)

    @validator("CPO_OCPP_PLAIN_NETWORKS")
    def _plain_networks(cls, value: str) -> str:
        return str(Networks.of(value))
