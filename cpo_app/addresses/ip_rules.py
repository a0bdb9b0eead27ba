"""Which IP addresses others may make us connect to: a table, and one question to it.

The table is the IANA special-purpose registries (RFC 6890 and its followers) plus the cloud
metadata services. It never resolves a name and never connects.
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)

IPAddress = IPv4Address | IPv6Address

# What is behind these hands out the machine's own credentials, or is no single host: they are
# refused even in development.
_NEVER: tuple[tuple[str, str], ...] = (
    ("169.254.169.254/32", "a metadata service"),  # AWS, Azure, GCP, OpenStack and others
    ("169.254.170.0/23", "a metadata service"),  # AWS: ECS tasks, EKS pods
    ("100.100.100.200/32", "a metadata service"),  # Alibaba Cloud
    ("192.0.0.192/32", "a metadata service"),  # Oracle Cloud
    ("168.63.129.16/32", "a metadata service"),  # Azure's wire server: a public address
    ("fd00:ec2::254/128", "a metadata service"),  # AWS
    ("fd00:ec2::23/128", "a metadata service"),  # AWS: EKS pods
    ("fd20:ce::254/128", "a metadata service"),  # GCP
    ("0.0.0.0/8", "an unspecified address"),
    ("::/128", "an unspecified address"),
    ("224.0.0.0/4", "a multicast address"),
    ("ff00::/8", "a multicast address"),
    ("255.255.255.255/32", "a broadcast address"),
    # An IPv4 address in IPv6 clothes: nobody needs them, and each is a way round the table.
    ("::ffff:0:0/96", "an IPv4-mapped address"),
    ("::ffff:0:0:0/96", "an IPv4-translated address"),
    ("64:ff9b::/96", "a NAT64 address"),
    ("64:ff9b:1::/48", "a NAT64 address"),
    ("2002::/16", "a 6to4 address"),
    ("2001::/32", "a Teredo address"),
)

_NOT_PUBLIC: tuple[tuple[str, str], ...] = (
    ("127.0.0.0/8", "a loopback address"),
    ("::1/128", "a loopback address"),
    ("10.0.0.0/8", "a private address"),
    ("172.16.0.0/12", "a private address"),
    ("192.168.0.0/16", "a private address"),
    ("fc00::/7", "a private address"),
    ("fec0::/10", "a private address"),
    ("169.254.0.0/16", "a link-local address"),
    ("fe80::/10", "a link-local address"),
    ("100.64.0.0/10", "a shared (CGNAT) address"),
    ("192.0.0.0/24", "a reserved address"),
    ("192.0.2.0/24", "a documentation address"),
    ("198.51.100.0/24", "a documentation address"),
    ("203.0.113.0/24", "a documentation address"),
    ("2001:db8::/32", "a documentation address"),
    ("3fff::/20", "a documentation address"),
    ("192.88.99.0/24", "a reserved address"),
    ("198.18.0.0/15", "a benchmarking address"),
    ("240.0.0.0/4", "a reserved address"),
    ("2001::/23", "a reserved address"),
)

_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")


def _table(rows: tuple[tuple[str, str], ...]) -> list[tuple[IPv4Network | IPv6Network, str]]:
    return [(ip_network(network), kind) for network, kind in rows]


_NEVER_TABLE = _table(_NEVER)
_NOT_PUBLIC_TABLE = _table(_NOT_PUBLIC)


def refusal(address: IPAddress, *, allow_private: bool) -> str | None:
    """What the address is ("a loopback address") if it may not be connected to, else None.

    `allow_private` (development only) lets everything through that can be a peer on the same
    machine or network; metadata services, multicast and disguised IPv4 stay refused.
    """
    for network, kind in _NEVER_TABLE:
        if address in network:
            return kind
    if allow_private:
        return None
    for network, kind in _NOT_PUBLIC_TABLE:
        if address in network:
            return kind
    # Everything else outside 2000::/3 is not handed out by IANA (RFC 4291, 2.4); the standard
    # library's own table is asked last, for rows that it may know and this one does not.
    if address.version == 6 and address not in _GLOBAL_UNICAST_V6:
        return "a reserved address"
    if not address.is_global:
        return "not a public address"
    return None
