"""TLS to peers: the certificate is asked for by name, though the connection goes to an address."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cpo_app.ocpi.peer_client.client import PeerClient, PeerUnusable
from cpo_app.peer_certificates import PeerCertificates
from db_interface.database import Database
from domain.notices.certificates import SEEN
from tests.conftest import Loop
from tests.cpo_app.ocpi.raw_peer import RawPeer, http

TOKEN = "tok-9f3a-very-secret"


class Authority:
    """A CA of the test's own, and the certificates that it hands out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
        self.path = folder / "ca.pem"
        certificate = self._sign(self._name, self._key, [], is_ca=True, days=30)
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, *names: str, days: int = 30) -> ssl.SSLContext:
        """A server's context with a certificate for these names; days < 0: it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer")])
        certificate = self._sign(subject, key, list(names), is_ca=False, days=days)
        path = self._folder / "server.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        return context

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: list[str],
        *,
        is_ca: bool,
        days: int,
    ) -> x509.Certificate:
        now = datetime.now(timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if names:
            alternatives: list[x509.GeneralName] = [
                x509.IPAddress(ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names
            ]
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), False)
        return builder.sign(self._key, hashes.SHA256())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def to_loopback(host: str) -> Sequence[str]:
    return ["127.0.0.1"]


def client_of(authority: Authority | None) -> PeerClient:
    return PeerClient(
        allow_private=True,
        resolve=to_loopback,
        verify=str(authority.path) if authority else None,
    )


def failure(context: ssl.SSLContext, authority: Authority | None, host: str) -> PeerUnusable:
    """What a request to this host of the TLS peer ends in; the peer got no request."""

    async def run() -> PeerUnusable:
        async with RawPeer(tls=context) as peer, client_of(authority) as client:
            with pytest.raises(PeerUnusable) as caught:
                await client.request("POST", peer.url(host=host), token=TOKEN, body=b"{}")
            assert peer.requests == []
            return caught.value

    return asyncio.run(run())


def test_the_name_is_sent_and_checked_while_the_checked_address_is_used(
    authority: Authority,
) -> None:
    context = authority.server("peer.example")
    asked_for: list[str | None] = []

    def note_sni(_socket: object, name: str | None, _context: object) -> None:
        asked_for.append(name)

    context.sni_callback = note_sni

    async def run() -> None:
        async with RawPeer(tls=context) as peer, client_of(authority) as client:
            for _ in range(5):
                answer = await client.request("GET", peer.url(host="Peer.Example."), token=TOKEN)
                assert answer.data() == []
            assert {r.headers["host"] for r in peer.requests} == {f"peer.example:{peer.port}"}
            assert peer.connections == 1  # kept alive under TLS, too

    asyncio.run(run())
    assert asked_for == ["peer.example"]


def test_a_certificate_for_an_address_is_checked_against_the_address(
    authority: Authority,
) -> None:
    async def run() -> None:
        context = authority.server("127.0.0.1")
        async with RawPeer(tls=context) as peer, client_of(authority) as client:
            answer = await client.request("GET", peer.url(), token=TOKEN)
            assert answer.http_status == 200

    asyncio.run(run())


def test_a_certificate_for_another_name_is_refused(authority: Authority) -> None:
    error = failure(authority.server("other.example"), authority, "peer.example")
    assert (error.kind, error.sent) == ("tls", False)
    assert "mismatch" in error.reason


def test_a_certificate_for_the_address_does_not_do_for_the_name(authority: Authority) -> None:
    error = failure(authority.server("127.0.0.1"), authority, "peer.example")
    assert (error.kind, error.sent) == ("tls", False)


def test_an_unknown_authority_is_refused(authority: Authority) -> None:
    error = failure(authority.server("peer.example"), None, "peer.example")
    assert (error.kind, error.sent) == ("tls", False)
    assert "certificate" in error.reason


def test_an_expired_certificate_is_refused(authority: Authority) -> None:
    error = failure(authority.server("peer.example", days=-1), authority, "peer.example")
    assert (error.kind, error.sent) == ("tls", False)
    assert "expired" in error.reason


def test_a_server_that_speaks_no_tls(authority: Authority) -> None:
    async def run() -> None:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(http())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        url = f"https://peer.example:{server.sockets[0].getsockname()[1]}/"
        async with server, client_of(authority) as client:
            with pytest.raises(PeerUnusable) as caught:
                await client.request("POST", url, token=TOKEN)
            assert (caught.value.kind, caught.value.sent) == ("tls", False)

    asyncio.run(run())


def test_a_server_that_hangs_up_or_hangs_in_the_handshake(authority: Authority) -> None:
    async def run(hangs: bool) -> PeerUnusable:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            if hangs:
                await reader.read(100_000)
                await reader.read(1)
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        url = f"https://peer.example:{server.sockets[0].getsockname()[1]}/"
        async with server, client_of(authority) as client:
            with pytest.raises(PeerUnusable) as caught:
                await client.request("POST", url, token=TOKEN, timeout_s=0.3 if hangs else 10.0)
            return caught.value

    hung_up = asyncio.run(run(hangs=False))
    assert (hung_up.kind, hung_up.sent) == ("tls", False)
    hung = asyncio.run(run(hangs=True))
    assert (hung.kind, hung.sent) == ("timeout", False)


def test_a_name_that_tls_cannot_carry_is_refused_before_anything_is_sent(
    authority: Authority,
) -> None:
    error = failure(authority.server("peer.example"), authority, "a_b.peer.example")
    assert (error.kind, error.sent) == ("tls", False)


def test_what_a_server_shows_is_kept_once_it_was_found_good(
    authority: Authority, loop: Loop, db: Database
) -> None:
    """When it ends, and once."""
    peers = PeerCertificates(db)
    heard: list[tuple[str, int, bytes]] = []

    def shown(host: str, port: int, der: bytes) -> None:
        heard.append((host, port, der))
        peers.shown(host, port, der)

    async def story() -> None:
        good = RawPeer(tls=authority.server("peer.example", days=9))
        bad = RawPeer(tls=authority.server("other.example"))
        verify = str(authority.path)
        async with (
            good,
            bad,
            PeerClient(
                allow_private=True, verify=verify, resolve=to_loopback, shown=shown
            ) as client,
        ):
            await client.request("GET", good.url(host="peer.example"), token=TOKEN)
            with pytest.raises(PeerUnusable):
                await client.request("GET", bad.url(host="peer.example"), token=TOKEN)
        assert [(host, port) for host, port, _ in heard] == [("peer.example", good.port)]
        await peers.round()
        (kept,) = await SEEN.of(db).find({})
        assert kept["subject"] == f"peer.example:{good.port}"
        assert timedelta(days=8) < kept["ends"] - datetime.now(timezone.utc) < timedelta(days=9)
        await SEEN.of(db).delete_one({"_id": kept["_id"]})
        peers.shown(*heard[0])
        await peers.round()
        assert await SEEN.of(db).find({}) == [], "the same is not written again"

    loop.run(story())
