"""A list of addresses and networks that the operator has named: "10.0.0.5, 192.168.1.0/24"."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from cpo_app.addresses.ip_rules import IPAddress


@dataclass(frozen=True)
class Networks:
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, text: str) -> Networks:
        """Raises ValueError that says which entry is wrong."""
        networks = []
        for entry in filter(None, (part.strip() for part in text.split(","))):
            try:
                networks.append(ip_network(entry))
            except ValueError as error:
                raise ValueError(f"{entry!r} is neither an address nor a network") from error
        return cls(tuple(networks))

    def __contains__(self, address: str | IPAddress) -> bool:
        """Whether it is one of them; what is no address never is."""
        if not self.networks:
            return False
        try:
            host = ip_address(address)
        except ValueError:
            return False
        return any(host in network for network in self.networks)

    def __str__(self) -> str:
        return ",".join(str(network) for network in self.networks)
