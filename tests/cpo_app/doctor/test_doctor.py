"""The doctor finds what is wrong, says what to do, and never says a secret."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from cpo_app.cli.doctor import examine, line_of
from cpo_app.doctor.configuration import check_configuration
from cpo_app.doctor.contents import check_contents
from cpo_app.doctor.findings import Finding, Level, warn
from cpo_app.doctor.host import check_host
from cpo_app.doctor.network import check_network
from cpo_app.doctor.store import check_store
from cpo_app.settings import Settings
from db_interface.database import Database
from db_interface.embedded import TRANSACTION_LIFETIME_S
from db_interface.interface import DbInterface
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.platform_facts import announce_address
from domain.secrets import Vault, new_token
from domain.upgrades.upgrade import make_ready
from tests import forks
from tests.conftest import Loop
from tests.serving import free_port, served
from tests.settings_of import settings_of

KEY = "0123456789abcdef" * 4
NOW = datetime.now(timezone.utc)
SOUND: dict[str, Any] = {
    "CPO_MONGO_URL": "mongodb://db.example/?replicaSet=cpo",
    "CPO_ENCRYPTION_KEY": KEY,
    "REGISTRY_SECRET_KEY": KEY[::-1],
    "REGISTRY_ADMIN_API_KEY": KEY,
    "CPO_ADMIN_PASSWORD": "a long enough password",
    "OCPI_HOST": "ocpi.example.org",
    "PROTOCOL": "https",
    "COUNTRY_CODE": "NL",
    "PARTY_ID": "EVC",
}


def settings(**changed: Any) -> Settings:
    return settings_of(**{**SOUND, **changed})


def levels(findings: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.level.value for finding in findings}


def configured(*, embedded: bool = False, **changed: Any) -> dict[str, str]:
    return levels(list(check_configuration(settings(**changed), embedded=embedded, now=NOW)))


def test_a_sound_configuration_has_no_complaint() -> None:
    assert set(configured().values()) == {"OK"}


@pytest.mark.parametrize(
    ("changed", "check", "level"),
    [
        ({"CPO_ENCRYPTION_KEY": ""}, "CPO_ENCRYPTION_KEY", "FAIL"),
        ({"CPO_ENCRYPTION_KEY": "short"}, "CPO_ENCRYPTION_KEY", "FAIL"),
        ({"CPO_ENCRYPTION_KEY": "a" * 40}, "CPO_ENCRYPTION_KEY", "WARN"),
        ({"REGISTRY_SECRET_KEY": "short"}, "REGISTRY_SECRET_KEY", "FAIL"),
        ({"CENTRAL_REGISTRY_SECRET_KEY": KEY}, "CENTRAL_REGISTRY_SECRET_KEY", "WARN"),
        ({"CPO_ADMIN_PASSWORD": ""}, "CPO_ADMIN_PASSWORD", "WARN"),
        ({"CPO_ADMIN_PASSWORD": "short"}, "CPO_ADMIN_PASSWORD", "FAIL"),
        ({"OCPI_HOST": ""}, "OCPI_HOST", "WARN"),
        ({"PROTOCOL": "http"}, "PROTOCOL", "FAIL"),
        ({"PROTOCOL": "http", "CPO_ALLOW_PLAIN_HTTP": True}, "PROTOCOL", "WARN"),
        ({"CPO_ALLOW_PRIVATE_URLS": True}, "CPO_ALLOW_PRIVATE_URLS", "WARN"),
        ({"REGISTRY_ADMIN_API_KEY": ""}, "REGISTRY_ADMIN_API_KEY", "WARN"),
        ({"REGISTRY_ADMIN_API_KEY": "short"}, "REGISTRY_ADMIN_API_KEY", "FAIL"),
        ({"COUNTRY_CODE": "DE", "PARTY_ID": "CPO"}, "parties", "WARN"),
        ({"NO_AUTH": True}, "NO_AUTH", "FAIL"),
        ({"CENTRAL_REQUIRE_CP_TOKEN": False}, "CENTRAL_REQUIRE_CP_TOKEN", "WARN"),
        ({"CPO_PUSH": False}, "CPO_PUSH", "WARN"),
        ({"REGISTRY_TLS_ENABLED": True}, "REGISTRY_TLS_CERT_FILE", "FAIL"),
    ],
)
def test_what_is_wrong_with_a_setting_is_found(
    changed: dict[str, Any], check: str, level: str
) -> None:
    assert configured(**changed)[check] == level


def test_embedded_defaults_are_fine_for_a_try() -> None:
    found = configured(
        embedded=True,
        CPO_ADMIN_PASSWORD="",
        OCPI_HOST="",
        REGISTRY_ADMIN_API_KEY="",
        CPO_ALLOW_PRIVATE_URLS=True,
    )
    assert set(found.values()) == {"OK"}


def test_what_the_servers_refuse_is_found_without_a_start(tmp_path: Path) -> None:
    changed = {"CPO_ADMIN_PASSWORD": "short", "REGISTRY_ADMIN_API_KEY": "short", "PROTOCOL": "http"}
    given = settings(CPO_MONGO_URL="", CPO_DATA_DIR=tmp_path, CENTRAL_PORT=free_port(), **changed)
    found = levels(examine(given))
    assert {name: found[name] for name in changed} == dict.fromkeys(changed, "FAIL")
    assert list(tmp_path.iterdir()) == []


def test_no_finding_says_a_secret() -> None:
    found = check_configuration(settings(CPO_ADMIN_PASSWORD="hunter2"), embedded=False, now=NOW)
    said = " ".join(finding.said + finding.do for finding in found)
    assert not any(secret in said for secret in (KEY, KEY[::-1], "hunter2"))


def test_a_sound_store_passes(db: Database, loop: Loop) -> None:
    async def work() -> list[Finding]:
        await make_ready(DbInterface(db))
        return [finding async for finding in check_store(db, embedded=True)]

    found = levels(loop.run(work()))
    assert list(found) == [
        *("store", "replica set", "transactions", "abandoned transactions", "clocks"),
        *("schema", "indexes"),
    ]
    # A busy machine may be slow to confirm; that is a warning.
    assert {**found, "transactions": "OK"} == dict.fromkeys(found, "OK")
    assert loop.run(_left_over(db)) == 0


async def _left_over(db: Database) -> int:
    return await db["platform"].count_documents({"_id": "doctor"})


def test_one_member_and_missing_indexes_are_said(fresh_url: str, loop: Loop) -> None:
    async def work() -> list[Finding]:
        db = Database.connect(fresh_url)
        try:
            return [finding async for finding in check_store(db, embedded=False)]
        finally:
            db.close()

    found = levels(loop.run(work()))
    assert (found["replica set"], found["indexes"]) == ("WARN", "WARN")


def test_a_store_that_keeps_abandoned_transactions_for_long_is_said(
    db: Database, loop: Loop
) -> None:
    async def work() -> dict[str, str]:
        name = "transactionLifetimeLimitSeconds"
        await db.client.admin.command({"setParameter": 1, name: 60})  # as a mongod has it
        try:
            return levels([finding async for finding in check_store(db, embedded=True)])
        finally:
            await db.client.admin.command({"setParameter": 1, name: TRANSACTION_LIFETIME_S})

    assert loop.run(work())["abandoned transactions"] == "WARN"


def test_a_store_that_is_away_is_one_failure(loop: Loop) -> None:
    async def work() -> list[Finding]:
        url = f"mongodb://user:hunter2@127.0.0.1:{free_port()}/"
        db = Database.connect(url, timeout_ms=200)
        try:
            return [finding async for finding in check_store(db, embedded=False)]
        finally:
            db.close()

    (found,) = loop.run(work())
    assert found.level is Level.FAIL
    assert "hunter2" not in found.said + found.do


@pytest.fixture
def peer(db: Database, loop: Loop) -> tuple[Database, str]:
    vault = Vault(KEY)

    async def make() -> str:
        peers = Peers(db, vault)
        made, _ = await peers.invite("Noisy\x1b[31m", NOW, ANY_PARTY)
        await peers.connect(
            made.peer_id, our_token=new_token(), their_token=new_token(), now=NOW, roles=[]
        )
        return made.peer_id

    return db, loop.run(make())


def contents(db: Database, loop: Loop, key: str = KEY) -> list[Finding]:
    async def work() -> list[Finding]:
        return [finding async for finding in check_contents(db, Vault(key), NOW)]

    return loop.run(work())


def test_another_encryption_key_is_found_out(peer: tuple[Database, str], loop: Loop) -> None:
    assert levels(contents(peer[0], loop))["sealed tokens"] == "OK"
    assert levels(contents(peer[0], loop, KEY[::-1]))["sealed tokens"] == "FAIL"


def test_a_peer_in_trouble_is_named(peer: tuple[Database, str], loop: Loop) -> None:
    db, peer_id = peer
    check = f"peer {peer_id}"
    assert check not in levels(contents(db, loop))

    async def fail() -> None:
        await Peers(db, Vault(KEY)).failed(peer_id, "HTTP 500\x1b[2J", NOW)

    loop.run(fail())
    found = next(finding for finding in contents(db, loop) if finding.check == check)
    assert (found.level, "HTTP 500" in found.said, "\x1b" in found.said) == (
        Level.WARN,
        True,
        False,
    )

    async def mark() -> None:
        since = NOW - timedelta(hours=2)
        await db["marks"].insert_one({"_id": "m", "peer_id": peer_id, "since": since})

    loop.run(mark())
    found = next(finding for finding in contents(db, loop) if finding.check == check)
    assert "120 min behind" in found.said


def test_what_waits_for_a_person_is_counted(db: Database, loop: Loop) -> None:
    async def spoil() -> None:
        await db["registrations"].insert_one(
            {"_id": "X", "folded_id": "x", "status": "REGISTERED", "ocpi": {"offered": False}}
        )
        await db["charging_sessions"].insert_one({"_id": "S", "cdr_problem": "no tariff"})

    loop.run(spoil())
    found = levels(contents(db, loop))
    assert (found["charge points"], found["CDRs"]) == ("WARN", "WARN")


@pytest.fixture
def stranger(loop: Loop) -> Iterator[int]:
    """Another program on a port: it answers, but not as one of ours."""

    async def hello(_request: Any) -> JSONResponse:
        return JSONResponse(["hello"])

    with served(Starlette(routes=[Route("/{rest:path}", hello)]), loop) as url:
        yield int(url.rsplit(":", 1)[1])


def test_ports_are_free_or_taken_by_a_stranger(stranger: int, loop: Loop) -> None:
    free = free_port()
    given = settings(
        CENTRAL_PORT=stranger,
        REGISTRY_API_PORT=free,
        OCPI_HOST=f"127.0.0.1:{stranger}",
        PROTOCOL="http",
    )
    found = levels(loop.run(check_network(given)))
    assert found == {f"port {stranger}": "FAIL", f"port {free}": "OK", "versions URL": "FAIL"}


def test_a_server_of_another_host_is_not_said_not_to_run(loop: Loop) -> None:
    free = free_port()
    given = settings(REGISTRY_API_PORT=free, CENTRAL_PORT=free_port(), OCPI_HOST="127.0.0.1:9")
    known = {"EV_Registry": "EV_Registry at registry-1:8080"}
    found = {one.check: one.said for one in loop.run(check_network(given, known))}
    assert found[f"port {free}"] == "is free on this host; there is EV_Registry at registry-1:8080"
    assert found[f"port {given.CENTRAL_PORT}"] == "is free for EV_Central (not running)"


def test_the_running_server_is_asked_under_the_settings_that_it_runs_with(
    fresh_url: str, loop: Loop
) -> None:
    async def readyz(_request: Any) -> JSONResponse:
        return JSONResponse({"ready": False, "missing": ["watch"]}, 503)

    async def healthz(_request: Any) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    app = Starlette(routes=[Route("/readyz", readyz), Route("/healthz", healthz)])
    with served(app, loop) as url:
        port = int(url.rsplit(":", 1)[1])
        running = {"CENTRAL_PORT": port, "CPO_ALLOW_PRIVATE_URLS": True, "OCPI_HOST": url[7:]}

        async def announce() -> None:
            db = Database.connect(fresh_url)
            try:
                await db.ping()
                await announce_address(db, {"PROTOCOL": "http", **running})
            finally:
                db.close()

        loop.run(announce())
        # In another terminal, which knows no more than the store and the secrets
        mine = {**SOUND, "CPO_MONGO_URL": fresh_url}
        del mine["OCPI_HOST"], mine["PROTOCOL"]
        found = {one.check: one for one in examine(settings_of(**mine))}
    assert found[f"port {port}"].said == "EV_Central answers"
    assert found["CPO_ALLOW_PRIVATE_URLS"].level is Level.WARN
    central = found["EV_Central"]
    assert (central.level, central.said) == (Level.FAIL, "is not ready: watch")
    assert "EV_Registry" not in found


def test_a_diagnosis_makes_no_data_directory(tmp_path: Path) -> None:
    directory = tmp_path / "not-there"
    given = settings(
        CPO_MONGO_URL="", CPO_DATA_DIR=directory, CENTRAL_PORT=free_port(), OCPI_HOST=""
    )
    found = levels(examine(given))
    assert (found["mongod"], found["store"]) == ("OK", "OK")
    assert not directory.exists()


def test_a_place_where_nothing_can_be_made_is_said(tmp_path: Path) -> None:
    # Not by taking rights away: root, who runs tests in a container, has them all the same.
    found = list(check_host(Path("/proc/cpo-data")))
    assert levels(found)["data directory"] == "FAIL"
    (said,) = [one for one in found if one.check == "data directory"]
    assert said.said.startswith("/proc cannot be written to (")
    assert "--data-dir" in said.do

    assert levels(list(check_host(tmp_path / "new" / "data")))["data directory"] == "OK"
    assert levels(list(check_host(tmp_path)))["data directory"] == "OK"
    assert list(tmp_path.iterdir()) == []


def test_a_library_that_mongod_needs_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mongod = tmp_path / "mongod"
    mongod.write_text(
        "#!/bin/sh\necho 'mongod: error while loading shared libraries: libcrypto.so.3: cannot "
        "open shared object file' >&2\nexit 127\n"
    )
    mongod.chmod(0o755)
    monkeypatch.setattr("cpo_app.doctor.host.find_mongod", lambda: str(mongod))
    (said,) = [one for one in check_host(tmp_path) if one.check == "mongod"]
    assert (said.level, said.said) == (
        Level.FAIL,
        f"{mongod} needs the system library libcrypto.so.3",
    )
    assert "apt-get install libssl3" in said.do and "libcurl" not in said.do


def test_secrets_that_others_may_read_are_a_failure(tmp_path: Path) -> None:
    (tmp_path / "encryption.key").write_text(KEY)
    (tmp_path / "encryption.key").chmod(0o644)
    assert levels(list(check_host(tmp_path)))["secret files"] == "FAIL"
    (tmp_path / "encryption.key").chmod(0o600)
    assert levels(list(check_host(tmp_path)))["secret files"] == "OK"


def test_a_line_says_level_check_and_what_to_do() -> None:
    line = line_of(warn("clocks", "differ by 2 s", "run NTP"), coloured=False)
    assert line.split(maxsplit=2) == ["WARN", "clocks", "differ by 2 s -> run NTP"]


@pytest.mark.processes
def test_the_command_ends_with_1_on_a_failure(store_url: str, tmp_path: Path) -> None:
    environment = {
        **{name: str(value) for name, value in SOUND.items()},
        "PATH": os.environ["PATH"],
        "CPO_MONGO_URL": store_url,
        "OCPI_HOST": "127.0.0.1:9",
    }
    command = ("cpo_app.cli", "doctor", "--json", "--port", str(free_port()))
    good = forks.ran(*command, cwd=tmp_path, env=environment, timeout_s=60)
    rows = json.loads(good.stdout)
    assert (good.returncode, {row["level"] for row in rows} & {"FAIL"}) == (0, set())
    assert {"store", "transactions", "indexes", "sealed tokens"} <= {row["check"] for row in rows}
    refused = {**environment, "PROTOCOL": "ftp"}
    bad = forks.ran(*command, cwd=tmp_path, env=refused, timeout_s=60)
    assert bad.returncode == 1
    assert [(row["check"], row["level"]) for row in json.loads(bad.stdout)] == [
        ("PROTOCOL", "FAIL")
    ]
