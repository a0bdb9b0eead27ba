"""Where the main server listens, and what it writes of itself."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseSettings, validator

from cpo_app.setting_fields import Reader, setting
from cpo_app.setting_values import (
    check_log_format,
    check_log_level,
    check_otlp_url,
    check_port,
    check_tiles,
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
        default_is="UTC; the console goes by each browser's zone",
    )

    CPO_MAP_TILES: str = setting(
        "",
        "where browsers fetch the tiles under the console's map: "
        "`https://tiles.example/{z}/{x}/{y}.png`, squares of 256 pixels on Mercator's projection. "
        "That host sees who looks at which part of the world, and who looks sees a key in it. "
        "Empty: the map is drawn without, and no other host is asked",
    )
    CPO_MAP_ATTRIBUTION: str = setting(
        "",
        "what the tiles' provider wants to be said under the map, with the URL that it leads to at "
        "its end: `© OpenStreetMap contributors https://www.openstreetmap.org/copyright`; not to "
        "be left out with tiles",
        max_length=300,
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

    @validator("CPO_MAP_TILES")
    def _tiles(cls, value: str) -> str:
        return check_tiles(value)

    @validator("CPO_MAP_ATTRIBUTION", always=True)
    def _attribution(cls, value: str, values: Mapping[str, object]) -> str:
        if values.get("CPO_MAP_TILES") and not value.strip():
            raise ValueError("CPO_MAP_TILES needs it: say whose map it is")
        return value.strip()

    @validator("CPO_LOG_FORMAT")
    def _log_format(cls, value: str) -> str:
        return check_log_format(value)
