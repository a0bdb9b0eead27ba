"""Who is behind a proxy: believed of those that the operator trusts, and of nobody else."""

from __future__ import annotations

import pytest

from cpo_app.addresses.forwarded import Client, client_of
from cpo_app.addresses.networks import Networks

PROXIES = Networks.of("10.0.0.5, 10.1.0.0/24, fd00::5")
PROXY, STRANGER, STATION = "10.0.0.5", "198.51.100.9", "203.0.113.7"


@pytest.mark.parametrize(
    ("address", "forwarded", "proto", "client"),
    [
        (STRANGER, (STATION,), ("https",), Client(STRANGER)),
        (PROXY, (STATION,), ("https",), Client(STATION, True, True)),
        (PROXY, (STATION,), ("wss",), Client(STATION, True, True)),
        (PROXY, (STATION,), ("http",), Client(STATION, True)),
        (PROXY, (STATION,), (), Client(STATION, True)),
        (PROXY, (), ("https",), Client(PROXY, True, True)),
        # What its client has made up stands before what the proxy says.
        (PROXY, (f"10.1.0.9, 127.0.0.1, {STRANGER}",), ("https",), Client(STRANGER, True, True)),
        (PROXY, ("127.0.0.1", STRANGER), ("https",), Client(STRANGER, True, True)),
        (PROXY, (STATION,), ("https, http",), Client(STATION, True)),
        (PROXY, (STATION,), ("https", "http"), Client(STATION, True)),
        # A row of trusted proxies.
        (PROXY, (f"{STATION}, 10.1.0.9",), ("https",), Client(STATION, True, True)),
        (PROXY, ("10.1.0.9",), ("https",), Client("10.1.0.9", True, True)),
        # Ports, brackets, IPv4 written as IPv6.
        (PROXY, (f"{STATION}:4711",), ("https",), Client(STATION, True, True)),
        (PROXY, ("[2001:db8::7]:4711",), ("https",), Client("2001:db8::7", True, True)),
        (f"::ffff:{PROXY}", (f"::ffff:{STATION}",), ("https",), Client(STATION, True, True)),
        ("fd00::5", ("2001:db8::7",), ("https",), Client("2001:db8::7", True, True)),
        # What is no address ends it.
        (PROXY, (f"{STATION}, unknown",), ("https",), Client(PROXY, True, True)),
        ("", (STATION,), ("https",), Client("")),
    ],
)
def test_who_it_is(
    address: str, forwarded: tuple[str, ...], proto: tuple[str, ...], client: Client
) -> None:
    assert client_of(address, forwarded, proto, PROXIES) == client


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert client_of(PROXY, (STATION,), ("https",), Networks()) == Client(PROXY)
