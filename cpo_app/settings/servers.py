"""Where the main server listens, and what it writes of itself."""

from typing import ClassVar

from pydantic import BaseSettings, validator

from cpo_app.setting_fields import Reader, setting
from cpo_app.setting_values import (
    check_log_format,
    check_log_level,
    check_port,
    check_time_zone,
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
