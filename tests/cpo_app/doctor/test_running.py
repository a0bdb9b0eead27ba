"""What the doctor knows of the servers that run: from themselves, not from this terminal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cpo_app.doctor.findings import Finding, Level
from cpo_app.doctor.running import as_running, check_running
from cpo_app.server_presence import CENTRAL, GATEWAY, REGISTRY, ServerPresence
from db_interface.database import Database
from domain.running_servers import FORGOTTEN_AFTER, SERVERS, SILENT_AFTER, running
from tests.clock import Clock
from tests.conftest import Loop
from tests.settings_of import settings_of

KEY = "0123456789abcdef" * 4
SECRETS = {"CPO_ENCRYPTION_KEY": KEY, "REGISTRY_SECRET_KEY": KEY[::-1]}
PASSWORD = "a long enough password"


class Servers:
    """Those that were started on the store."""

    def __init__(self, db: Database, loop: Loop) -> None:
        self.db = db
        self.loop = loop
        self.clock = Clock()
        db.clock = self.clock
        self.started: list[ServerPresence] = []

    def start(self, name: str, port: int, **given: Any) -> ServerPresence:
        one = ServerPresence(self.db, name, port, settings_of(**{**SECRETS, **given}))
        self.loop.run(one._say())
        self.started.append(one)
        return one

    def found(self, **here: Any) -> dict[str, Finding]:
        async def look() -> list[Finding]:
            servers = await running(self.db)
            return list(check_running(settings_of(**here), servers, self.db.now()))

        return {finding.check: finding for finding in self.loop.run(look())}

    def seen_from(self, **here: Any) -> Any:
        servers = self.loop.run(running(self.db))
        return as_running(settings_of(**here), servers, self.db.now())


@pytest.fixture
def servers(db: Database, loop: Loop) -> Servers:
    return Servers(db, loop)


def test_each_server_is_judged_by_what_it_was_started_with(servers: Servers) -> None:
    servers.start(CENTRAL, 8000, CPO_PUSH=False, CPO_ADMIN_PASSWORD=PASSWORD, CENTRAL_PORT=8000)
    servers.start(REGISTRY, 8081, REGISTRY_API_PORT=8081, CPO_PUSH=True)
    servers.start(GATEWAY, 9001, CPO_OCPP_PORT=9001)
    seen = servers.seen_from()
    assert (seen.CPO_PUSH, seen.REGISTRY_API_PORT, seen.CPO_OCPP_PORT) == (False, 8081, 9001)
    assert seen.CPO_ADMIN_PASSWORD, "that there is one is known, and no more"
    assert seen.CPO_ENCRYPTION_KEY == "", "of a key there is nothing to be had"
    assert servers.seen_from(CPO_PUSH=True).CPO_PUSH is True


def test_no_secret_is_in_the_store(servers: Servers) -> None:
    servers.start(
        CENTRAL,
        8000,
        CPO_ADMIN_PASSWORD=PASSWORD,
        CPO_MONGO_URL="mongodb://cpo:hunter2@db.example/cpo",
        CPO_SMTP_URL="smtp://me:hunter2@mail.example",
        CPO_MAIL_FROM="cpo@example.com",
        CPO_MAIL_TO="ops@example.com",
    )
    kept = str(servers.loop.run(SERVERS.of(servers.db).find({})))
    assert "EV_Central at" in kept
    for secret in (KEY, KEY[::-1], PASSWORD, "hunter2"):
        assert secret not in kept


def test_what_stands_here_and_there_is_held_against_each_other(servers: Servers) -> None:
    central = servers.start(CENTRAL, 8000, CPO_PAGE_LIMIT=50)
    found = servers.found(CPO_PAGE_LIMIT=80, CPO_ADMIN_PASSWORD=PASSWORD)
    wrong = found["CPO_PAGE_LIMIT"]
    assert (wrong.level, wrong.said) == (
        Level.WARN,
        f"is 80 here, and {central._id} was started with 50",
    )
    assert found.keys() == {central._id, "CPO_PAGE_LIMIT"}
    assert servers.found(CPO_PAGE_LIMIT=50).keys() == {central._id}


def test_servers_with_different_keys_are_found(servers: Servers) -> None:
    central = servers.start(CENTRAL, 8000)
    registry = servers.start(REGISTRY, 8080, CPO_ENCRYPTION_KEY="")
    found = servers.found(**SECRETS)
    assert "REGISTRY_SECRET_KEY of all" not in found
    said = found["CPO_ENCRYPTION_KEY of all"]
    assert said.level is Level.FAIL
    assert central._id in said.said and f"{registry._id}: none" in said.said
    assert KEY not in said.said
    other = servers.found(CPO_ENCRYPTION_KEY="f" * 64)["CPO_ENCRYPTION_KEY of all"]
    assert "this terminal" in other.said


def test_one_that_died_is_named_and_one_that_stopped_is_not(servers: Servers) -> None:
    died, stopped = servers.start(CENTRAL, 8000), servers.start(REGISTRY, 8080)
    servers.loop.run(stopped.stop())
    assert [finding.level for finding in servers.found().values()] == [Level.OK]
    servers.clock.advance(SILENT_AFTER.total_seconds())
    (said,) = servers.found().values()
    assert (said.check, said.level) == (died._id, Level.WARN)
    assert "has not been heard of since" in said.said
    (kept,) = servers.loop.run(running(servers.db))
    assert kept["expires"] == kept["heard"] + FORGOTTEN_AFTER
    assert servers.seen_from().CENTRAL_PORT == settings_of().CENTRAL_PORT


def test_a_hosts_clock_and_a_half_done_upgrade_are_said(servers: Servers) -> None:
    async def spoil() -> None:
        await SERVERS.of(servers.db).update_one(
            {"name": CENTRAL}, {"$set": {"host_ahead_s": -75.0, "version": "0.0.9"}}
        )

    servers.start(CENTRAL, 8000)
    servers.start(REGISTRY, 8080)
    servers.loop.run(spoil())
    found = servers.found()
    (clock,) = [one for check, one in found.items() if check.startswith("clock of ")]
    assert clock.said == "its clock is 75.0 s behind the database's"
    assert found["versions"].level is Level.WARN and "0.0.9" in found["versions"].said


def test_a_server_says_it_again_and_again(servers: Servers) -> None:
    one = servers.start(CENTRAL, 8000)
    before = servers.loop.run(running(servers.db))[0]["heard"]
    servers.clock.advance(timedelta(minutes=5).total_seconds())
    servers.loop.run(one._say())
    (server,) = servers.loop.run(running(servers.db))
    assert (server["heard"] - before, server["started"]) == (timedelta(minutes=5), before)
