"""The guard: what a peer's URL may be, and that the address checked is the one connected to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpo_app.addresses import resolver as resolver_module
from cpo_app.addresses.ip_rules import refusal
from cpo_app.addresses.resolver import SystemResolver
from cpo_app.outgoing.guarded_network import GuardedBackend
from cpo_app.outgoing.url_guard import PeerUrl, UrlGuard, UrlRefused, check_url, same_place

PUBLIC = "93.184.216.34"

NASTY = [
    "",
    "https://",
    "https:///path",
    "https:peer.example/x",
    "//peer.example/x",
    "/ocpi/versions",
    "peer.example",
    "http://peer.example/",
    "HTTP://peer.example/",
    "ftp://peer.example/",
    "file:///etc/passwd",
    "gopher://peer.example/",
    "javascript:alert(1)",
    "https://user:pw@peer.example/",
    "https://user@peer.example/",
    "https://@peer.example/",
    "https://peer.example@127.0.0.1/",
    "https://127.0.0.1#@peer.example/",
    "https://peer.example\\@127.0.0.1/",
    "https://127.0.0.1\\.peer.example/",
    "https://peer.example:0/",
    "https://peer.example:65536/",
    "https://peer.example:99999999/",
    "https://peer.example:-1/",
    "https://peer.example:80:90/",
    "https://peer.example:https/",
    "https://peer.example /",
    " https://peer.example/",
    "https://peer.example/\n",
    "https://peer.example/\r\nX-Evil: 1",
    "https://peer.example/\x00",
    "https://peer.example/a b",
    "https://peer.exämple/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://peer..example/",
    "https://.peer.example/",
    "https://peer.example../",
    "https://-peer.example/",
    "https://peer-.example/",
    "https://peer%2eexample/",
    "https://%31%32%37.0.0.1/",
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 130 + "example/",
    "https://peer.example/" + "a" * 5000,
    # this machine and its names
    "https://127.0.0.1/",
    "https://127.8.9.10/",
    "https://127.0.0.1./",
    "https://0.0.0.0/",
    "https://0.1.2.3/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://foo.localhost/",
    "https://localhost.localdomain/",
    "https://mongodb/",
    "https://printer.local/",
    "https://printer.lan/",
    "https://nas.home.arpa/",
    "https://metadata.google.internal/",
    "https://metadata/",
    # numbers that resolvers take for addresses
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0X7F.1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://127.000.000.001/",
    "https://256.256.256.256/",
    "https://1.2.3.4.5/",
    "https://0/",
    "https://0x/",
    "https://peer.example.1/",
    # private, link-local, shared, reserved, multicast, metadata
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://169.254.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://169.254.170.2/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://168.63.129.16/",
    "https://192.0.0.192/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://198.18.0.1/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    # IPv6
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[2606:2800:220:1::1%eth0]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[ff0e::1]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[100::1]/",
    "https://[5f00::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:93.184.216.34]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:0:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::10.0.0.1]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:53aa:64c:0:fbff:f5ff:fffe]/",
    "https://[::1/",
    "https://::1/",
    "https://[]/",
    "https://[peer.example]/",
    "https://[v1.fe80::a]/",
    "https://[::1].peer.example/",
]


@pytest.mark.parametrize("url", NASTY)
def test_nasty_urls_are_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://peer.example", PeerUrl("https", "peer.example", 443, "/")),
        ("HTTPS://Peer.Example./Ocpi", PeerUrl("https", "peer.example", 443, "/Ocpi")),
        ("https://peer.example:443/a?b=c", PeerUrl("https", "peer.example", 443, "/a?b=c")),
        ("https://peer.example:/a", PeerUrl("https", "peer.example", 443, "/a")),
        ("https://p.example:8443/?q=a@b#frag", PeerUrl("https", "p.example", 8443, "/?q=a@b")),
        ("https://p.example?x", PeerUrl("https", "p.example", 443, "/?x")),
        (
            "https://xn--bcher-kva.example//a/",
            PeerUrl("https", "xn--bcher-kva.example", 443, "//a/"),
        ),
        (f"https://{PUBLIC}/", PeerUrl("https", PUBLIC, 443, "/")),
        ("https://[2606:2800:220:1:0::1]/", PeerUrl("https", "2606:2800:220:1::1", 443, "/")),
        ("https://10.example/", PeerUrl("https", "10.example", 443, "/")),
        ("https://localhost.example.com/", PeerUrl("https", "localhost.example.com", 443, "/")),
    ],
)
def test_good_urls_come_back_in_parts(url: str, expected: PeerUrl) -> None:
    assert check_url(url) == expected


def test_the_parts_make_a_url_and_a_host_header_again() -> None:
    assert str(check_url("https://P.example:443/a?b#c")) == "https://p.example/a?b"
    assert check_url("https://p.example:8443/").netloc == "p.example:8443"
    assert check_url("https://[2606:2800::1]:8443/").netloc == "[2606:2800::1]:8443"
    assert check_url("http://p.example/", allow_private=True).netloc == "p.example"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/ocpi",
        "http://localhost:8000/",
        "http://mongo_db/",
        "https://192.168.1.1/",
        "http://[::1]:8000/",
        "https://100.64.0.1/",
    ],
)
def test_development_lets_private_urls_through(url: str) -> None:
    check_url(url, allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://[fd00:ec2::254]/",
        "http://100.100.100.200/",
        "http://168.63.129.16/",
        "http://[::ffff:169.254.169.254]/",
        "http://224.0.0.1/",
        "http://0.0.0.0/",
        "http://2130706433/",
        "http://u:p@localhost/",
        "http://localhost:0/",
        "ftp://localhost/",
    ],
)
def test_development_does_not_let_everything_through(url: str) -> None:
    with pytest.raises(UrlRefused):
        check_url(url, allow_private=True)


@pytest.mark.parametrize("value", [None, 5, b"https://peer.example/", ["https://peer.example/"]])
def test_what_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(UrlRefused):
        check_url(value)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://u:p@peer.example/", "the URL holds a user name or password"),
        ("http://peer.example/", "the URL does not use https"),
        ("https://peer.example:0/", "the URL's port is not between 1 and 65535"),
        ("https://0x7f.1/", "the URL's host is a number that is not a plain IPv4 address"),
        ("https://10.0.0.1/", "the URL's host is a private address"),
        ("https://169.254.169.254/", "the URL's host is a metadata service"),
        ("https://[::ffff:10.0.0.1]/", "the URL's host is an IPv4-mapped address"),
        ("https://localhost/", "the URL's host is a local name"),
    ],
)
def test_the_refusal_says_what_is_wrong(url: str, reason: str) -> None:
    with pytest.raises(UrlRefused) as caught:
        check_url(url)
    assert str(caught.value) == reason


def test_the_refusal_repeats_nothing_of_the_url() -> None:
    for url in ("https://bob:s3cret@peer.example/", "http://peer.example/?token=s3cret"):
        with pytest.raises(UrlRefused) as caught:
            check_url(url)
        assert "s3cret" not in str(caught.value)
        assert "peer" not in str(caught.value)


@given(st.text(max_size=60) | st.text(max_size=60).map(lambda t: f"https://{t}/"))
def test_any_text_is_either_refused_or_understood(text: str) -> None:
    try:
        url = check_url(text)
    except UrlRefused:
        return
    assert url.scheme == "https"
    assert check_url(str(url)) == url


@given(st.integers(0, 2**32 - 1).map(ip_address) | st.integers(0, 2**128 - 1).map(IPv6Address))
def test_no_address_passes_that_the_standard_library_calls_special(address: Any) -> None:
    if refusal(address, allow_private=False) is None:
        assert address.is_global and not address.is_multicast and not address.is_reserved
        assert not (address.is_private or address.is_loopback or address.is_link_local)


@given(st.integers(0, 2**32 - 1))
def test_no_ipv6_clothes_hide_an_ipv4_address(number: int) -> None:
    for prefix in ("::ffff:0:0", "::ffff:0:0:0", "64:ff9b::", "::"):
        assert refusal(IPv6Address(int(IPv6Address(prefix)) + number), allow_private=False)
    six_to_four = IPv6Address((0x2002 << 112) + (number << 80))
    assert refusal(six_to_four, allow_private=False)


def test_ordinary_public_addresses_pass() -> None:
    for text in ("1.1.1.1", "8.8.8.8", PUBLIC, "2606:4700::1111", "2a00:1450:4001::1"):
        assert refusal(ip_address(text), allow_private=False) is None
    assert ip_address("100.63.255.255") not in ip_network("100.64.0.0/10")
    assert refusal(ip_address("100.63.255.255"), allow_private=False) is None


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("https://a.example/x", "https://A.example:443/y", True),
        ("https://a.example/", "https://b.example/", False),
        ("https://a.example/", "https://a.example.b.example/", False),
        ("https://a.example/", "https://a.example:8443/", False),
        ("https://a.example/", "http://a.example/", False),
        ("http://a.example/", "https://a.example/", True),
        ("http://a.example:8000/", "https://a.example:8000/", True),
        ("http://a.example:8000/", "https://a.example/", False),
    ],
)
def test_same_place(first: str, second: str, same: bool) -> None:
    one = check_url(first, allow_private=True)
    other = check_url(second, allow_private=True)
    assert same_place(one, other) is same


class FakeDns:
    """A zone that answers differently each time, as a rebinding attacker's does."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0)


class FakeNetwork(httpcore.AsyncNetworkBackend):
    """Notes where a connection would go; `dead` addresses do not answer."""

    def __init__(self, dead: Iterable[str] = ()) -> None:
        self.dead = set(dead)
        self.connected: list[tuple[str, int]] = []

    async def connect_tcp(
        self, host: str, port: int, *args: Any, **kwargs: Any
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        if host in self.dead:
            raise httpcore.ConnectError("dead")
        return httpcore.AsyncMockStream([])


def connect(dns: Any, network: FakeNetwork, host: str = "peer.example") -> None:
    backend = GuardedBackend(UrlGuard(dns), network)
    asyncio.run(backend.connect_tcp(host, 443, timeout=5.0))


def test_the_connection_goes_to_the_checked_address_not_to_the_name() -> None:
    dns, network = FakeDns([PUBLIC], ["127.0.0.1"]), FakeNetwork()
    connect(dns, network)
    assert network.connected == [(PUBLIC, 443)]
    assert dns.asked == ["peer.example"]  # once: there is no second answer to be tricked by


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"],
        [PUBLIC, "10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["fe80::1%eth0"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a00:1"],
        ["not-an-address"],
    ],
)
def test_a_name_that_resolves_to_a_forbidden_address_is_not_connected_to(
    answer: list[str],
) -> None:
    network = FakeNetwork()
    with pytest.raises(UrlRefused):
        connect(FakeDns(answer), network)
    assert network.connected == []


def test_an_address_in_place_of_a_name_is_checked_at_the_connection_too() -> None:
    network = FakeNetwork()
    with pytest.raises(UrlRefused):
        connect(FakeDns(), network, host="10.0.0.1")
    assert network.connected == []


def test_the_next_address_is_tried_when_the_first_is_dead() -> None:
    network = FakeNetwork(dead=["2606:4700::1111"])
    connect(FakeDns(["2606:4700::1111", PUBLIC]), network)
    assert [host for host, _ in network.connected] == ["2606:4700::1111", PUBLIC]


def test_not_more_than_a_few_addresses_are_tried() -> None:
    many = [f"8.8.8.{n}" for n in range(100)]
    network = FakeNetwork(dead=many)
    with pytest.raises(httpcore.ConnectError):
        connect(FakeDns(many), network)
    assert len(network.connected) == 4


def test_a_name_that_never_resolves_ends_at_the_timeout() -> None:
    async def never(host: str) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(httpcore.ConnectTimeout):
        asyncio.run(
            GuardedBackend(UrlGuard(never), FakeNetwork()).connect_tcp("a.example", 1, 0.05)
        )


def test_unix_sockets_are_no_way_out() -> None:
    with pytest.raises(httpcore.ConnectError):
        asyncio.run(GuardedBackend(UrlGuard(FakeDns()), FakeNetwork()).connect_unix_socket("/s"))


def test_the_system_resolver_knows_this_machine() -> None:
    async def look_up() -> Sequence[str]:
        return await SystemResolver()("localhost")

    assert set(asyncio.run(look_up())) <= {"127.0.0.1", "::1"}
    assert asyncio.run(look_up())


def test_the_system_resolver_says_when_a_name_is_none() -> None:
    async def look_up() -> Sequence[str]:
        return await SystemResolver()("a" * 70 + ".invalid")

    with pytest.raises(OSError):
        asyncio.run(look_up())


def test_a_hanging_name_costs_one_thread_and_other_names_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release, looked_up = threading.Event(), []

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> list[Any]:
        looked_up.append(host)
        if host == "hangs.example":
            assert release.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC, 0))]

    monkeypatch.setattr(resolver_module.socket, "getaddrinfo", getaddrinfo)  # type: ignore[attr-defined]

    async def story() -> None:
        resolve = SystemResolver()
        tries = [asyncio.ensure_future(resolve("hangs.example")) for _ in range(20)]
        assert await resolve("quick.example") == [PUBLIC]
        tries[0].cancel()  # one gives up; the others still get the answer
        release.set()
        assert await asyncio.gather(*tries[1:]) == [[PUBLIC]] * 19

    asyncio.run(story())
    assert looked_up.count("hangs.example") == 1
    assert looked_up.count("quick.example") == 1
