"""A monitor that is killed between its registration and the answer comes back by itself."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from cpo_app.charge_point.credentials_store import CredentialsStore
from cpo_app.charge_point.registry_client import Token
from cpo_app.charge_point.registry_login import LoginFailed, RegistryLogin
from cpo_app.charge_point.settings import MonitorSettings
from cpo_app.registry.app import build_registry
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.charge_points import enrolments
from tests.conftest import Loop
from tests.cpo_app.registry.serving import settings_with


class Killed(BaseException):
    """kill -9: nothing of the process goes on."""


class Wire(httpx.AsyncBaseTransport):
    """To the real EV_Registry; what it answers arrives while `up`."""

    def __init__(self, store: DbInterface) -> None:
        app = build_registry(settings_with(REGISTRY_ADMIN_API_KEY="a" * 32), store)
        self._there = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        self.up = True
        self.loses: type[BaseException] | BaseException = Killed

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._there.handle_async_request(request)
        await answer.aread()
        if not self.up:
            raise self.loses
        return answer


def a_process(
    wire: Wire, state_dir: Path, token: str | None = None, location: str = "Berlin"
) -> Callable[[], Coroutine[object, object, Token]]:
    """The login of a monitor that has just started, with what is on its disk."""
    settings = MonitorSettings(
        cp_id="CP-001",
        location=location,
        registry_url="http://registry",
        enrolment_token=None if token is None else SecretStr(token),
    )
    http = httpx.AsyncClient(transport=wire)
    return RegistryLogin(settings, http, CredentialsStore("CP-001", state_dir)).login


@pytest.mark.parametrize("loses", [Killed, httpx.ReadError("gone")])
def test_killed_before_the_answer_it_comes_back(
    db: Database, loop: Loop, tmp_path: Path, loses: type[BaseException] | BaseException
) -> None:
    wire, store = Wire(DbInterface(db)), DbInterface(db)
    token, _ = loop.run(store.transact(lambda tx: enrolments.enrol(tx, "CP-001")))
    wire.up, wire.loses = False, loses

    with pytest.raises((Killed, LoginFailed)):
        loop.run(a_process(wire, tmp_path, token)())
    assert list(tmp_path.glob("credentials-*")) == []
    (key,) = tmp_path.glob("registering-*")
    assert key.stat().st_mode & 0o777 == 0o600

    wire.up = True
    # Its enrolment token is used up; some installations take it out again after the first start.
    loop.run(a_process(wire, tmp_path, token)())
    assert list(tmp_path.glob("registering-*")) == [], "the next registration is another one"
    loop.run(a_process(wire, tmp_path)())

    # The same for a change of its facts, which gives it new credentials.
    wire.up = False
    with pytest.raises((Killed, LoginFailed)):
        loop.run(a_process(wire, tmp_path, location="Hamburg")())
    wire.up = True
    loop.run(a_process(wire, tmp_path, location="Hamburg")())


def test_another_box_does_not_come_in_by_that(db: Database, loop: Loop, tmp_path: Path) -> None:
    wire, store = Wire(DbInterface(db)), DbInterface(db)
    token, _ = loop.run(store.transact(lambda tx: enrolments.enrol(tx, "CP-001")))
    wire.up = False
    with pytest.raises(Killed):
        loop.run(a_process(wire, tmp_path / "box", token)())
    wire.up = True
    with pytest.raises(LoginFailed, match="cpo charge-points enrol CP-001"):
        loop.run(a_process(wire, tmp_path / "thief", token)())
    loop.run(a_process(wire, tmp_path / "box", token)())
