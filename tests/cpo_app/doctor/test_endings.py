"""What comes to its end is said before."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from cpo_app.doctor.configuration import check_configuration
from cpo_app.doctor.contents import check_contents
from cpo_app.doctor.endings import check_endings, check_public_certificate
from cpo_app.doctor.findings import Finding, Level
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.exchanges.exchange import LOSSES, new_id
from domain.operators import api_keys
from domain.operators.actor import Role
from domain.secrets import Vault
from tests.conftest import Loop
from tests.cpo_app.doctor.test_running import KEY
from tests.cpo_app.registry.pki import self_signed
from tests.settings_of import settings_of

NOW = datetime.now(timezone.utc)


def test_keys_certificates_and_the_disk_of_the_store(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found() -> Mapping[str, Finding]:
        return {finding.check: finding async for finding in check_endings(db)}

    well = loop.run(found())
    assert {check: one.level for check, one in well.items()} == dict.fromkeys(
        ("API keys", "certificates", "disk of the store"), Level.OK
    )

    async def key() -> None:
        await DbInterface(db).transact(
            lambda tx: api_keys.add(tx, "ci", Role.VIEWER, lifetime=timedelta(days=3))
        )

    async def room() -> tuple[float, float]:
        return 5e8, 1e12

    loop.run(key())
    monkeypatch.setattr(db, "room", room)
    wrong = loop.run(found())
    assert "API key ci ends on" in wrong["API keys"].said
    assert "nearly full" in wrong["disk of the store"].said
    assert wrong["API keys"].do == "make new ones: cpo keys add"


def test_exchanges_that_were_not_recorded(db: Database, loop: Loop) -> None:
    async def lost() -> Finding:
        found = {one.check: one async for one in check_contents(db, Vault(KEY), NOW)}
        return found["exchanges"]

    assert loop.run(lost()).level is Level.OK

    async def lose(number: int, ago: timedelta) -> None:
        at = db.now() - ago
        await LOSSES.of(db).insert_one({"_id": new_id(at), "at": at, "lost": number})

    loop.run(lose(7, timedelta(hours=1)))
    loop.run(lose(9, timedelta(days=2)))
    assert loop.run(lost()).said.startswith("7 with peers were not recorded")


@pytest.mark.parametrize(
    ("days", "trusted", "level", "said"),
    [
        (90, True, Level.OK, "is good until"),
        (5, True, Level.WARN, "ends on"),
        (-1, True, Level.FAIL, "certificate has expired"),
        (90, False, Level.FAIL, "self-signed certificate"),
    ],
)
def test_the_certificate_that_peers_see(
    days: int,
    trusted: bool,
    level: Level,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Whoever checks it goes by the real time; we look at it so many days before its end.
    until = NOW + timedelta(days=1 if days > 0 else -1)
    pair = self_signed("public", until)
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_text(pair.certificate_pem)
    key.write_text(pair.key_pem)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def story() -> list[Finding]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)

        def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            given = settings_of(OCPI_HOST=f"127.0.0.1:{port}", PROTOCOL="https")
            return await check_public_certificate(given, until - timedelta(days=days))

    (found,) = asyncio.run(story())
    assert (found.level, said in found.said) == (level, True), found.said
    assert found.level is Level.OK or "127.0.0.1" in found.do


def test_nobody_asks_for_a_certificate_where_there_is_none() -> None:
    plain = settings_of(PROTOCOL="http", OCPI_HOST="localhost:1")
    nowhere = settings_of(PROTOCOL="https", OCPI_HOST="localhost:1")
    assert asyncio.run(check_public_certificate(plain, NOW)) == []
    assert asyncio.run(check_public_certificate(nowhere, NOW)) == []


def test_centrals_own_certificate(tmp_path: Path) -> None:
    pair = self_signed("central", NOW + timedelta(days=3))
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_text(pair.certificate_pem)
    key.write_text(pair.key_pem)
    given = settings_of(
        CENTRAL_TLS_ENABLED=True,
        CENTRAL_TLS_CERT_FILE=str(certificate),
        CENTRAL_TLS_KEY_FILE=str(key),
    )
    found = {one.check: one for one in check_configuration(given, embedded=False, now=NOW)}
    assert found["CENTRAL_TLS_CERT_FILE"].level is Level.WARN
