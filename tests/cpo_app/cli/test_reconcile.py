"""`cpo reconcile cdrs`: what a person and a script see of peers' CDRs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cpo_app.cli import reconcile
from db_interface.database import Database
from domain.peers.peer_document import UnknownPeer
from tests.conftest import Loop
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.test_cdr_reconciliation import LATER, UNTIL, forget, issued


@pytest.fixture
def house(
    db: Database, loop: Loop, store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[House]:
    monkeypatch.setenv("CPO_MONGO_URL", store_url)
    monkeypatch.setenv("CPO_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CPO_ENCRYPTION_KEY", "k" * 32)
    monkeypatch.setenv("REGISTRY_SECRET_KEY", "r" * 64)
    monkeypatch.setenv("CPO_ALLOW_PRIVATE_URLS", "true")
    with contextlib.ExitStack() as stack:
        yield House(db, loop, stack)


def cdrs(*arguments: str) -> Any:
    window = ("--from", LATER.isoformat()[:10], "--to", UNTIL.isoformat().replace("+00:00", "Z"))
    result = CliRunner().invoke(reconcile.app, ["cdrs", *window, *arguments])
    if result.exception is not None:
        raise result.exception
    return result.output


def test_what_is_known_of_a_peers_cdrs_is_told_with_its_money(house: House) -> None:
    _, peer_id = house.peer()
    house.publish("cdrs", issued("C1"))
    forget(house)
    house.publish("cdrs", issued("C2", kwh=4.0))
    text = cdrs()
    assert f"{peer_id}: CDR C1 missing" in text
    assert "2 CDRs at 1 peers" in text
    [result] = json.loads(cdrs("--peer", peer_id, "--json"))
    # What was missing waits for the push now.
    assert (result["expected"], result["arrived"], list(result["outcomes"])) == (2, 0, ["waiting"])
    assert result["outcomes"]["waiting"]["totals"] == [
        {
            "currency": "EUR",
            "number": 2,
            "credits": 0,
            "without_vat": 0,
            "total_energy": 14.0,
            "excl_vat": 3.0,
            "incl_vat": 6.0,
        }
    ]
    with pytest.raises(UnknownPeer):
        cdrs("--peer", "nobody")
