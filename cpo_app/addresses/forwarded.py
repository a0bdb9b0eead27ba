"""Who is behind a proxy, by the headers of proxies that the operator trusts. Pure.

A proxy that is trusted says truly whom it has heard: the last entry of `X-Forwarded-For` that is no
trusted proxy itself. What stands before it was told by whoever that is, and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from cpo_app.addresses.networks import Networks

FOR, PROTO = "X-Forwarded-For", "X-Forwarded-Proto"
_SECURE = frozenset({"https", "wss"})


@dataclass(frozen=True)
class Client:
    address: str
    by_proxy: bool = False
    secure: bool = False
    """Whether it speaks TLS with the proxy."""


def client_of(
    address: str, forwarded_for: Sequence[str], forwarded_proto: Sequence[str], proxies: Networks
) -> Client:
    """`address`: of the connection; the others: all values of FOR and PROTO. What a trusted proxy
    leaves out or garbles is its own: its address, and no TLS."""
    peer = _plain(address)
    if peer is None or peer not in proxies:
        return Client(address)
    named = address
    for entry in reversed(_entries(forwarded_for)):
        found = _plain(entry)
        if found is None:
            break
        named = found
        if found not in proxies:
            break
    schemes = _entries(forwarded_proto)
    secure = bool(schemes) and all(scheme.lower() in _SECURE for scheme in schemes)
    return Client(named, True, secure)


def _entries(values: Sequence[str]) -> list[str]:
    return [entry.strip() for value in values for entry in value.split(",") if entry.strip()]


def _plain(text: str) -> str | None:
    """An address without port and brackets, IPv4 as such; None: it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
