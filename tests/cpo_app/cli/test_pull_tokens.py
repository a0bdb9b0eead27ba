"""`cpo peers pull-tokens`: an eMSP's tokens, now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cpo_app.cli import peers
from cpo_app.cli.errors import CliError
from db_interface.database import Database
from tests.conftest import Loop
from tests.cpo_app.ocpi.token_worlds import TokenWorld, token_world
from tests.domain.authorization.test_authorization import token


@pytest.fixture
def world(
    db: Database, loop: Loop, store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[TokenWorld]:
    monkeypatch.setenv("CPO_MONGO_URL", store_url)
    monkeypatch.setenv("CPO_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CPO_ENCRYPTION_KEY", "k" * 32)
    monkeypatch.setenv("REGISTRY_SECRET_KEY", "r" * 64)
    monkeypatch.setenv("CPO_ALLOW_PRIVATE_URLS", "true")
    with token_world(db, loop) as world:
        yield world


def test_what_came_of_it_is_printed(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp()
    emsp.tokens = [token("U1"), {"uid": "bad"}]
    result = CliRunner().invoke(peers.app, ["pull-tokens", peer_id])
    assert result.exit_code == 0, result.exception
    report = json.loads(result.stdout)
    assert (report["complete"], report["problem"]) == (True, None)
    assert report["counts"] == {"pages": 1, "received": 2, "created": 1, "bad": 1}
    assert world.tokens() == {"U1": "DE*TNM"}
    again = CliRunner().invoke(peers.app, ["pull-tokens", peer_id, "--full"])
    assert json.loads(again.stdout)["date_from"] is None
    assert json.loads(again.stdout)["counts"]["unchanged"] == 1


def test_a_pull_that_breaks_off_is_an_error(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp()
    emsp.pages_left = 0
    result = CliRunner().invoke(peers.app, ["pull-tokens", peer_id])
    assert isinstance(result.exception, CliError)
    assert str(result.exception) == "broke off: the peer answered HTTP 503"
    assert json.loads(result.stdout)["complete"] is False
