"""One browser and one demonstration for a file's walks; a window of his own for each operator."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, StorageState, sync_playwright

from tests.browser.chromium import launched
from tests.browser.desk import Desk
from tests.conftest import Loop
from tests.e2e.emsp import Emsp
from tests.e2e.emsp_server import emsp_serving
from tests.e2e.processes import Process, eventually, processes
from tests.serving import free_port


@dataclass
class Demonstration:
    """`cpo up --demo` as a newcomer starts it."""

    up: Process
    base: str
    password: str
    link: str
    """Signs in, once."""

    def act(self, path: str, **parameters: object) -> dict[str, Any]:
        """What the operator does elsewhere: on the command line, by a script."""
        answer = httpx.post(
            f"{self.base}/api/v1{path}",
            json=parameters,
            auth=("admin", self.password),
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()


# Of a module, not of the session: as long as Playwright runs, this thread has a running loop, in
# which other files' tests could start none.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = launched(playwright)
        if isinstance(found, str):
            pytest.skip(found)
        yield found
        found.close()


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    directory = tmp_path_factory.mktemp("demo")
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with processes(directory) as running:
        up = running.cpo(
            "up",
            "--demo",
            f"--port={port}",
            f"--registry-port={free_port()}",
            "--charge-points=4",
            "--data-dir=data",
        )
        eventually(lambda: up.said("OCPI CPO backend is up"), timeout_s=200, what="the panel")
        eventually(lambda: up.said("tokens pulled"), timeout_s=200, what="its drivers' cards")
        (link,) = re.findall(rf"{base}/login/once/\S+", up.output)
        password = Path(directory, "data/admin.password").read_text().strip()
        yield Demonstration(up, base, password, link)
        up.stop(timeout_s=30)


@pytest.fixture
def window(browser: Browser, demo: Demonstration) -> Iterator[Callable[..., Desk]]:
    """Opens a browser window before the demonstration; in none may anything have gone wrong."""
    opened: list[Desk] = []

    def open_one(**options: object) -> Desk:
        opened.append(Desk(browser, demo.base, **options))
        return opened[-1]

    yield open_one
    for desk in opened:
        desk.close()
    assert [problem for desk in opened for problem in desk.problems] == []


@pytest.fixture(scope="module")
def _login(browser: Browser, demo: Demonstration) -> StorageState:
    """The admin's cookies: he signs in once."""
    desk = Desk(browser, demo.base)
    try:
        desk.sign_in("admin", demo.password)
        return desk.context.storage_state()
    finally:
        desk.close()


@pytest.fixture
def admin(window: Callable[..., Desk], _login: StorageState) -> Desk:
    return window(storage_state=_login)


_numbers = itertools.count(10)


@pytest.fixture
def emsp(loop: Loop) -> Iterator[Emsp]:
    """A partner who keeps what he is told; each is another party."""
    with (
        emsp_serving(loop, ("DE", f"E{next(_numbers)}")) as server,
        contextlib.closing(Emsp(server)) as one,
    ):
        yield one
