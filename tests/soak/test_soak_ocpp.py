"""The soak over OCPP, in short: three gateways killed, three wires cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from db_interface.database import Database
from tests.conftest import Loop
from tests.soak.ocpp import STATIONS, soaked

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
