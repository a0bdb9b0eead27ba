"""What the values of settings have to look like; each raises ValueError that says so."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

_COUNTRY_CODE = re.compile(r"[A-Za-z]{2}")
_PARTY_ID = re.compile(r"[A-Za-z0-9]{3}")
_PREFIX = re.compile(r"[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:/?#@\s]+)(?::(?P<port>\d+))?")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PLACE = re.compile(r"\{[^{}]*\}|[{}]")
_NO_SPACE = re.compile(r"[!-~]+")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_FORMATS = ("text", "json")


def check_country_code(value: str) -> str:
    """ISO 3166-1 alpha-2."""
    if not _COUNTRY_CODE.fullmatch(value):
        raise ValueError(f"{value!r} is not a country code of two letters, such as NL")
    return value


def check_party_id(value: str) -> str:
    """As ISO 15118 gives them out."""
    if not _PARTY_ID.fullmatch(value):
        raise ValueError(f"{value!r} is not a party id of three letters or digits, such as EVC")
    return value


def check_host(value: str) -> str:
    """`name`, `name:port`, `address:port` or `[address6]:port`, without scheme and path."""
    found = _HOST_AND_PORT.fullmatch(value)
    if not found:
        raise ValueError(
            f"{value!r} is not host or host:port (the scheme is PROTOCOL's, the path OCPI_PREFIX's)"
        )
    if found["port"] is not None:
        check_port(int(found["port"]))
    name = found["host"]
    if name.startswith("["):
        ip_address(name[1:-1])
    elif not all(_LABEL.fullmatch(label) for label in name.removesuffix(".").split(".")):
        raise ValueError(f"{name!r} is not the name of a host")
    return value


def check_port(value: int) -> int:
    """One that others can be told of: not 0."""
    if not 1 <= value <= 65535:
        raise ValueError(f"{value} is not a port (1 to 65535)")
    return value


def check_prefix(value: str) -> str:
    """A path without slashes at its ends."""
    if not _PREFIX.fullmatch(value):
        raise ValueError(f"{value!r} is not a path such as ocpi, without slashes at its ends")
    return value


def check_log_level(value: str) -> str:
    """A level of logging, in any case."""
    level = value.strip().upper()
    if level not in LOG_LEVELS:
        raise ValueError(f"{value!r} is none of {', '.join(LOG_LEVELS)}")
    return level


def check_log_format(value: str) -> str:
    """How a line of log is written."""
    form = value.strip().lower()
    if form not in LOG_FORMATS:
        raise ValueError(f"{value!r} is none of {', '.join(LOG_FORMATS)}")
    return form


def check_time_zone(value: str) -> str:
    """A zone that the tz database knows."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{value!r} is not a time zone such as Europe/Amsterdam") from None
    return value


def check_tiles(value: str) -> str:
    """A URL of one host's tiles with {z}, {x} and {y} in its path or query, once each. The host
    becomes a word of a policy: nothing else may stand there."""
    if not value:
        return value
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or parts.fragment:
        raise ValueError(f"{value!r} is not like https://tiles.example/{{z}}/{{x}}/{{y}}.png")
    try:
        check_host(parts.netloc)
    except ValueError:
        raise ValueError(f"{parts.netloc!r} is not the host of tiles") from None
    if parts.netloc.startswith("["):  # no policy can name it
        raise ValueError("the host of tiles is a name or an IPv4 address")
    behind = f"{parts.path}?{parts.query}"
    if sorted(_PLACE.findall(behind)) != ["{x}", "{y}", "{z}"] or not _NO_SPACE.fullmatch(value):
        raise ValueError(f"{value!r} has not {{z}}, {{x}} and {{y}} behind its host, once each")
    return value


def check_otlp_url(value: str) -> str:
    """Where a collector listens, without the paths that OTLP adds."""
    if not value:
        return value
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{value!r} is not the URL of a collector, such as http://collector:4318")
    if parts.username or parts.password:
        raise ValueError("a password does not belong into the URL, but into CPO_OTLP_HEADERS")
    return value.rstrip("/")


def otlp_headers(value: str) -> dict[str, str]:
    """`name=value,name=value`, as OTEL_EXPORTER_OTLP_HEADERS has them."""
    headers = {}
    for number, part in enumerate(filter(None, map(str.strip, value.split(","))), start=1):
        name, equals, content = part.partition("=")
        if not equals or not _HEADER_NAME.fullmatch(name.strip()):
            raise ValueError(f"header {number} is not name=value")  # never the value: a secret
        headers[name.strip().lower()] = unquote(content.strip())
    return headers
