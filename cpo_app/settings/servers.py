"""Where the main server listens, and what it writes of itself."""

from typing import ClassVar

from pydantic import BaseSettings, validator

from cpo_app.setting_fields import Reader, setting
from cpo_app.setting_values import (
    check_log_format,
    check_log_level,
    check_otlp_url,
    check_port,
    check_time_zone,
    otlp_headers,
)


class ServerSettings(BaseSettings):
    """Servers"""

    read_by: ClassVar[Reader] = "serve"

    CENTRAL_PORT: int = setting(
        8000,
        "OCPI, EV_Central, console",
        read_by="all",
    )
    CENTRAL_HOST: str = setting(
        "127.0.0.1",
        "the address to listen on; `0.0.0.0` in the image",
    )
    CPO_LOG_LEVEL: str = setting(
        "INFO",
        "`DEBUG`, `INFO`, `WARNING`, `ERROR`",
        read_by="all",
    )
    CPO_LOG_FORMAT: str = setting(
        "text",
        "`text` or `json`, a line an event",
        read_by="all",
    )

    CPO_TIME_ZONE: str = setting(
        "",
        "where the operator's days begin and end, and whose time the console shows: an IANA name, "
        "as `Europe/Amsterdam`",
        read_by="serve and commands",
        default_is="UTC; the console shows times in the browser's zone",
    )

    CPO_DEMO_SPEED: float = setting(
        1,
        "set by `cpo up --demo` for its children: how many times faster than time its cars are "
        "charged, which the console says on every page; not for you",
        ge=1,
    )
    CPO_OTLP_URL: str = setting(
        "",
        "an OpenTelemetry collector that takes OTLP over HTTP (`http://collector:4318`): it is "
        "sent traces and metrics; empty: nothing is",
        read_by="all",
    )
    CPO_OTLP_HEADERS: str = setting(
        "",
        "what the collector wants to be shown: `name=value,name=value`",
        secret=True,
        read_by="all",
    )
    CPO_OTLP_SHARE: float = setting(
        1.0,
        "of all traces, those that are sent: 0 to 1",
        ge=0,
        le=1,
        read_by="all",
    )
    CPO_OTLP_METRICS_S: float = setting(
        60,
        "how often metrics are sent; 0: never",
        unit="s",
        ge=0,
        read_by="all",
    )

    @validator("CPO_OTLP_URL")
    def _otlp_url(cls, value: str) -> str:
        return check_otlp_url(value)

    @validator("CPO_OTLP_HEADERS")
    def _otlp_headers(cls, value: str) -> str:
        otlp_headers(value)
        return value

    @validator("CENTRAL_PORT")
    def _port(cls, value: int) -> int:
        return check_port(value)

    @validator("CPO_LOG_LEVEL")
    def _log_level(cls, value: str) -> str:
        return check_log_level(value)

    @validator("CPO_TIME_ZONE")
    def _time_zone(cls, value: str) -> str:
        return value and check_time_zone(value)

    @validator("CPO_LOG_FORMAT")
    def _log_format(cls, value: str) -> str:
        return check_log_format(value)
