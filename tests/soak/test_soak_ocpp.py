"""The soak over OCPP, in short: three gateways killed, three wires cut."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest

from db_interface.database import Database
from tests.conftest import Loop
from tests.soak.ocpp import STATIONS, settled, soaked
from tests.soak.ocpp_boxes import Visited

SEED, FAULTS = 1, 6


@pytest.fixture
def db(fresh_url: str, _client: Database) -> Database:
    """One that the gateways find by its URL, too."""
    return Database(_client.client, fresh_url.rsplit("/", 1)[1].split("?", 1)[0])


@pytest.mark.processes
@pytest.mark.timeout(300)
def test_what_is_delivered_is_billed_once_whichever_gateway_dies(
    tmp_path: Path, fresh_url: str, db: Database, loop: Loop
) -> None:
    outcome = loop.run(soaked(tmp_path, fresh_url, db, SEED, FAULTS), timeout_s=280)
    assert outcome.problems == []
    assert outcome.sessions >= STATIONS
    assert outcome.delivered_wh > 0


class _Slow:
    """Each look at it sees one message less, down to `stays`."""

    def __init__(self, number: int, stays: int) -> None:
        self.number, self.stays = number, stays

    def waiting(self) -> int:
        self.number = max(self.number - 1, self.stays)
        return self.number

    def is_silent(self) -> bool:
        return self.number == 0


def test_it_is_judged_when_all_is_answered_or_nothing_is_any_more() -> None:
    slow, stuck = _Slow(40, 0), _Slow(40, 7)
    asyncio.run(settled([cast("Visited", slow)], nothing_for_s=5))
    assert slow.number == 0
    asyncio.run(settled([cast("Visited", stuck)], nothing_for_s=0))
    assert stuck.number == 7
