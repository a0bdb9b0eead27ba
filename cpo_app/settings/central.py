"""EV_Central's side towards the charge points."""

from typing import ClassVar

from pydantic import BaseSettings, validator

from cpo_app.addresses.networks import Networks
from cpo_app.setting_fields import Reader, setting


class CentralSettings(BaseSettings):
    """EV_Central and its charge points"""

    read_by: ClassVar[Reader] = "serve"

    CENTRAL_TLS_ENABLED: bool = setting(
        False,
        "`cpo serve` speaks https (`cpo up` never does)",
    )
    CENTRAL_TLS_CERT_FILE: str = setting(
        "",
        "as EV_Registry's",
    )
    CENTRAL_TLS_KEY_FILE: str = setting(
        "",
        "as EV_Registry's",
    )
    CENTRAL_TLS_CLIENT_CA_FILE: str = setting(
        "",
        "as EV_Registry's",
    )
    CENTRAL_REGISTRY_SECRET_KEY: str = setting(
        "",
        "the key that charge points' tokens are checked with",
        secret=True,
        default_is="`REGISTRY_SECRET_KEY`",
    )
    CENTRAL_REQUIRE_CP_TOKEN: bool = setting(
        True,
        "false: a token is checked only if there is one (gradual rollout)",
    )
    CENTRAL_ALLOW_UNREGISTERED: bool = setting(
        False,
        "with `CENTRAL_REQUIRE_CP_TOKEN=false`: charge points that EV_Registry does not know "
        "are taken, too, so that a rollout can begin; said as a warning at start",
    )
    CENTRAL_ENGINE_NETWORKS: str = setting(
        "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7",
        "private networks where engines may be; this host only where Central listens on "
        "loopback, is embedded or `CPO_ALLOW_PRIVATE_URLS` is set; metadata services and "
        "link-local addresses never",
    )
    CENTRAL_ENGINE_PLAIN_HTTP: bool = setting(
        False,
        "command engines without a certificate in the clear, on a private network of charge "
        "points alone; those on this host always may",
    )
    CENTRAL_HEARTBEAT_INTERVAL_S: float = setting(
        5.0,
        "what a monitor is asked for that has no interval of its own",
        unit="s",
        gt=0,
        le=3600,
    )
    CENTRAL_HEARTBEAT_MISSED: int = setting(
        5,
        "a charge point is UNKNOWN after so many missed intervals",
        ge=1,
    )
    CENTRAL_MAX_REQUESTS: int = setting(
        256,
        "of charge points, worked on at once by one process; beyond it they hear 503 with "
        "`Retry-After`, and count as heard. Heartbeats without news are always taken; meter values "
        "that wait for each other are not counted among these, up to four times as many",
        ge=1,
    )

    @validator("CENTRAL_ENGINE_NETWORKS")
    def _networks(cls, value: str) -> str:
        return str(Networks.of(value))
