"""Whose word counts about where a request came from: CPO_TRUSTED_PROXIES, nobody's by default."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class TrustedProxies:
    """Addresses and networks of our own reverse proxies."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, text: str) -> TrustedProxies:
        """Out of "10.0.0.5, 192.168.1.0/24"; raises ValueError that says which entry is wrong."""
        networks = []
        for entry in filter(None, (part.strip() for part in text.split(","))):
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError as error:
                raise ValueError(f"{entry!r} is neither an address nor a network") from error
        return cls(tuple(networks))

    def __contains__(self, address: str) -> bool:
        if not self.networks:
            return False
        try:
            host = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(host in network for network in self.networks)

    def __str__(self) -> str:
        return ",".join(str(network) for network in self.networks)
