"""Host names as they stand in settings and in Host headers: whose are they? Never resolves one."""

from __future__ import annotations

import ipaddress

from cpo_app.addresses.ip_rules import refusal

_NOBODYS = (".localhost", ".local", ".internal", ".test", ".invalid", ".home.arpa")
"""Suffixes that the public DNS never answers (RFC 6761, RFC 6762, RFC 8375, ICANN)."""


def name_in(netloc: str) -> str:
    """The name or address in a Host header ("[::1]:8000"), without its port; "" for none."""
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0]
    return netloc.partition(":")[0]


def is_loopback(host: str) -> bool:
    """Whether this names the very host that it is said on."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(host: str) -> bool:
    """Whether the whole world may be meant: a public address, or a name that the DNS may know."""
    try:
        return refusal(ipaddress.ip_address(host), allow_private=False) is None
    except ValueError:
        name = host.lower().rstrip(".")
        return "." in name and not name.endswith(_NOBODYS)


def can_be_rebound(host: str) -> bool:
    """Whether somebody else's name may have been made to point here (DNS rebinding): an address
    or a name without a dot is what the caller himself wrote."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return is_public(host)
    return False
