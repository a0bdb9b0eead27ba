"""The supervisor of `cpo up`: how it ends its parts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from cpo_app.cli import up
from cpo_app.cli.parts import Part
from tests.cpo_app.cli.conftest import Cpo
from tests.settings_of import settings_of


def test_no_part_is_cut_short_because_another_has_stopped_before_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped: list[str] = []
    running: set[str] = set()

    async def keep_running(part: Part, environment: dict[str, str]) -> None:
        running.add(part.name)
        try:
            await asyncio.Event().wait()
        finally:
            # EV_Central has more to put away than EV_Registry.
            for _ in range(20 if part.name == "EV_Central" else 0):
                await asyncio.sleep(0)
            stopped.append(part.name)

    async def no_answer(urls: Sequence[str]) -> bool:
        return False

    monkeypatch.setattr(up, "keep_running", keep_running)
    monkeypatch.setattr(up, "all_answer", no_answer)

    async def started_and_stopped() -> None:
        settings = settings_of()
        supervising = asyncio.create_task(up._supervise(settings, 1, False))
        while len(running) < 4:
            await asyncio.sleep(0)
        supervising.cancel()
        with pytest.raises(asyncio.CancelledError):
            await supervising

    asyncio.run(asyncio.wait_for(started_and_stopped(), 10))
    assert capsys.readouterr().err == "stopping ...\n"
    assert sorted(stopped) == ["EV_Central", "EV_Registry", "OCPP gateway", "charge points"]


@pytest.mark.parametrize(("number", "said"), [(100, False), (101, True)])
def test_more_charge_points_than_the_host_may_carry_are_warned_of(
    number: int, said: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class NotToday(Exception):
        """The start goes no further."""

    def no_ground(*_: object, **__: object) -> None:
        raise NotToday

    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(up, "demand_free", lambda *_: None)
    monkeypatch.setattr(up, "prepare", no_ground)
    with pytest.raises(NotToday):
        up.run(settings_of(), charge_points=number, demo=False)
    assert any("more than this host may carry (100)" in line for line in caplog.messages) is said


@pytest.mark.parametrize("port", ["0", "99999", "-1", "http"])
@pytest.mark.parametrize("option", ["--port", "--registry-port", "--ocpp-port"])
def test_a_port_that_nobody_could_be_told_of_is_refused_in_words(
    cpo: Cpo, option: str, port: str
) -> None:
    said = cpo("up", option, port)
    assert said.code == 2
    assert option in said.err and "Traceback" not in said.err
