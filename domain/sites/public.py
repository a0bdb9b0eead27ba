"""What of a charge point's metadata may be shown outside the house.

Leaves out every key that looks like a host, port, address of the inner net, key or secret, at any
depth, and every value that looks like one whatever its key. In doubt it leaves out: a fact too few
is a nuisance, a password too many a breach.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from db_interface.json_data import JsonObject

_DEEPEST = 16

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_INNER_WORDS = frozenset(
    [
        *("ip", "ipv", "ipaddr", "ipaddress", "mac", "host", "hostname", "port", "dns", "gateway"),
        *("endpoint", "socket", "vpn", "ssid", "subnet", "broker", "dsn", "imsi", "iccid", "sim"),
        *("key", "pin", "psk", "pwd", "pass", "auth", "cert", "pem", "jwt", "login", "salt"),
        *("user", "username", "bearer", "cookie", "session", "private", "internal", "signature"),
    ]
)
_INNER_PARTS = re.compile(
    r"host|passw|passphrase|secret|token|credential|apikey|privatekey|authori[sz]ation|certificate"
)
# Token uids of people: for the eMSPs that need them, not for everybody.
_PERSONAL_KEYS = frozenset({"publish_allowed_to"})
_HARMLESS_PORTS = ("airport", "support", "transport", "carport", "passport", "heliport", "report")

_SECRET_VALUE = re.compile(
    r"-----BEGIN |\beyJ[\w-]+\.[\w-]+|\b[0-9a-fA-F]{32,}\b|\b(?:Bearer|Basic|Token) +\S{8,}"
)
_NETWORK_VALUE = re.compile(r"[a-z][a-z0-9+.-]*://|\blocalhost\b|[\w.-]+:\d{2,5}\b", re.IGNORECASE)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>]+", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_INNER_DOMAINS = ("local", "localhost", "internal", "intranet", "lan", "home", "corp", "arpa")
_TIME = re.compile(r"\d{1,2}:\d\d(:\d\d)?|.*\d{4}-\d\d-\d\dT\d\d:\d\d.*", re.DOTALL)


def public_metadata(metadata: object) -> JsonObject:
    """The metadata without inner and secret entries; anything but an object gives {}."""
    return _public_object(metadata, 0) if isinstance(metadata, Mapping) else {}


def is_public_url(url: str) -> bool:
    """Whether an absolute URL names a host of the open internet, and no user or password."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    labels = host.split(".")
    return len(labels) > 1 and labels[-1] not in _INNER_DOMAINS and not labels[-1].isdigit()


def _public_object(value: Mapping[Any, Any], depth: int) -> JsonObject:
    return {
        key: shown
        for key, item in value.items()
        if isinstance(key, str) and not _is_inner_key(key)
        for shown in _public(item, depth + 1)
    }


def _public(value: Any, depth: int) -> list[Any]:
    """The value as it may be shown, in a list of one; an empty list where it may not."""
    if depth > _DEEPEST:
        return []
    if isinstance(value, Mapping):
        return [_public_object(value, depth)]
    if isinstance(value, list):
        return [[shown for item in value for shown in _public(item, depth + 1)]]
    if isinstance(value, str) and _is_inner_value(value):
        return []
    return [value]


def _is_inner_key(key: str) -> bool:
    folded = re.sub(r"[^a-z0-9]", "", key.lower())
    if key.lower() in _PERSONAL_KEYS or _INNER_PARTS.search(folded):
        return True
    if folded.endswith("port") and not folded.endswith(_HARMLESS_PORTS):
        return True
    if _is_inner_value(key):
        return True
    return any(word.lower() in _INNER_WORDS for word in _WORD.findall(key))


def _is_inner_value(text: str) -> bool:
    if _SECRET_VALUE.search(text):
        return True
    if any(_is_inner_ip(ip) for ip in _IPV4.findall(text)):
        return True
    try:
        if not ipaddress.ip_address(text.strip()).is_global:
            return True
    except ValueError:
        pass
    urls = _URL.findall(text)
    if urls:
        return not all(is_public_url(url) for url in urls)
    return bool(_NETWORK_VALUE.search(text)) and not _TIME.fullmatch(text)


def _is_inner_ip(text: str) -> bool:
    try:
        return not ipaddress.ip_address(text).is_global
    except ValueError:
        return False
