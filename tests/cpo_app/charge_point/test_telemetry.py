"""Messages reach Central in order, each at least once, whatever Central does meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cpo_app.charge_point.central_link import CentralLink, CentralUnavailable
from cpo_app.charge_point.journal import Journal
from cpo_app.charge_point.telemetry import MAX_PER_BATCH, TelemetrySender
from cpo_app.charge_point.timeline import Timeline
from tests.cpo_app.charge_point.worlds import QUICK, FakeClock, running, until


class ScriptedLink:
    """Plays Central: answers with what `script` says, then acknowledges everything."""

    cp_id = "CP-001"
    linked = True

    def __init__(self, *script: Any) -> None:
        self.changed = asyncio.Event()
        self.script = list(script)
        self.bodies: list[dict[str, Any]] = []

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert path == "/cp/telemetry"
        self.bodies.append(body)
        step = self.script.pop(0) if self.script else None
        if isinstance(step, Exception):
            raise step
        return {"status": "ok", "acked": step or body["messages"][-1]["seq"]}

    def batches(self) -> list[list[int]]:
        return [[message["seq"] for message in body["messages"]] for body in self.bodies]


def fill(journal: Journal, count: int, boot_id: str = "b1", first: int = 1) -> None:
    messages = [{"seq": seq, "kind": "meter"} for seq in range(first, first + count)]
    journal.write({}, boot_id, messages)


def deliver(journal: Journal, link: Any) -> None:
    async def story() -> None:
        async with running(TelemetrySender(journal, Timeline(FakeClock()), link, QUICK).run()):
            await until(lambda: journal.waiting() == 0)

    asyncio.run(story())


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    journal = Journal(tmp_path / "engine.sqlite")
    yield journal
    journal.close()


def test_batches_are_bounded_and_in_order(journal: Journal) -> None:
    fill(journal, 2 * MAX_PER_BATCH + 1)
    link = ScriptedLink()
    deliver(journal, link)
    assert [len(batch) for batch in link.batches()] == [MAX_PER_BATCH, MAX_PER_BATCH, 1]
    seqs = [seq for batch in link.batches() for seq in batch]
    assert seqs == list(range(1, 2 * MAX_PER_BATCH + 2))


def test_after_an_absence_it_goes_on_from_the_first_unacknowledged(journal: Journal) -> None:
    fill(journal, 5)
    link = ScriptedLink(CentralUnavailable("gone"), 2, CentralUnavailable("HTTP 500", 500))
    deliver(journal, link)
    assert link.batches() == [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [3, 4, 5], [3, 4, 5]]


def test_an_answer_that_acknowledges_nothing_is_no_reason_to_spin(journal: Journal) -> None:
    fill(journal, 2)
    link = ScriptedLink(-1, "nonsense")
    deliver(journal, link)
    assert link.batches() == [[1, 2], [1, 2], [1, 2]]


def test_messages_of_an_earlier_boot_go_first_under_its_name(journal: Journal) -> None:
    fill(journal, 2, "b1")
    fill(journal, 2, "b2")
    link = ScriptedLink()
    deliver(journal, link)
    assert [body["boot_id"] for body in link.bodies] == ["b1", "b2"]
    assert link.batches() == [[1, 2], [1, 2]]


def test_one_malformed_message_does_not_hold_up_the_others(journal: Journal) -> None:
    class Picky(ScriptedLink):
        async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
            if any(message["seq"] == 3 for message in body["messages"]):
                raise CentralUnavailable("HTTP 422", 422)
            return await super().post(path, body)

    fill(journal, 8)
    link = Picky()
    deliver(journal, link)
    assert [seq for batch in link.batches() for seq in batch] == [1, 2, 4, 5, 6, 7, 8]


def test_a_message_that_comes_while_sending_wakes_the_sender(journal: Journal) -> None:
    link = ScriptedLink()

    async def story() -> None:
        sender = TelemetrySender(journal, Timeline(FakeClock()), link, QUICK)  # type: ignore[arg-type]
        async with running(sender.run()):
            fill(journal, 1)
            sender.new.set()
            await until(lambda: journal.waiting() == 0)
            fill(journal, 1, first=2)
            sender.new.set()
            await until(lambda: journal.waiting() == 0)

    asyncio.run(story())
    assert [seq for batch in link.batches() for seq in batch] == [1, 2]


def test_without_a_link_nothing_is_sent_and_nothing_is_lost(journal: Journal) -> None:
    async def story() -> None:
        link = CentralLink("CP-001")
        fill(journal, 1)
        with pytest.raises(CentralUnavailable):
            await TelemetrySender(journal, Timeline(FakeClock()), link, QUICK).send_batch()
        await link.close()

    asyncio.run(story())
    assert journal.waiting() == 1
