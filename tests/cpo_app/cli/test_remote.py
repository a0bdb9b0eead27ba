"""`cpo --server URL`: what is done there, over its API, and what cannot be."""

from __future__ import annotations

import json
from contextvars import ContextVar
from pathlib import Path

import httpx
import pytest

from cpo_app.cli import remote
from domain.operators.actor import Role
from tests.cpo_app.api.conftest import Api, api
from tests.cpo_app.cli.conftest import Cpo, Ran
from tests.domain.sessions.worlds import tariff

__all__ = ["api"]


class There:
    """The command line, speaking to the API of this test with the key of a role."""

    def __init__(self, cpo: Cpo, monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
        self.cpo, self.api, self.patch = cpo, api, monkeypatch
        # The store is not to be found from here.
        monkeypatch.setenv("CPO_MONGO_URL", "mongodb://127.0.0.1:1/none")
        self.role = Role.ADMIN

    def __call__(self, *arguments: str) -> Ran:
        self.patch.setenv("CPO_API_KEY", self.api.keys[self.role])
        return self.cpo("--server", "https://cpo.example", *arguments)


@pytest.fixture
def there(cpo: Cpo, api: Api, monkeypatch: pytest.MonkeyPatch) -> There:
    def request(method: str, url: str, **options: object) -> httpx.Response:
        options.pop("timeout")
        return api.loop.run(api.http.request(method, url, **options))  # type: ignore[arg-type]

    monkeypatch.setattr(httpx, "request", request)
    monkeypatch.setattr(remote, "_SERVER", ContextVar("server", default=None))
    return There(cpo, monkeypatch, api)


def test_commands_do_there_what_they_do_on_the_store(there: There, tmp_path: Path) -> None:
    made = there("peers", "invite", "--name", "MSP", "--party", "NL/TNM")
    assert made.code == 0, made.err
    peer_id = made.json()["peer_id"]
    quirk = there("peers", "quirk", peer_id, "no_patch", "on")
    assert quirk.json()["quirks"]["no_patch"] is True
    assert there("peers", "ask-unknown", peer_id, "on").err == (
        f"{peer_id}: It is asked about cards that no eMSP has told us of.\n"
    )
    assert [row["peer_id"] for row in there("peers", "list", "--json").json()] == [peer_id]
    refused = there("peers", "suspend", peer_id)
    assert (refused.code, refused.err) == (1, f"cpo: peer {peer_id} is invited, not connected\n")
    file = tmp_path / "t.json"
    file.write_text(json.dumps([tariff("T1"), {"id": "T2"}]))
    imported = there("tariffs", "import", str(file), "--party", "NL/EVC")
    assert (imported.code, imported.out) == (1, "created 1, updated 0, unchanged 0, refused 1\n")
    assert "T2: " in imported.err
    assert there("tariffs", "default", "t1").out == "T1\n"
    assert there("tariffs", "default").out == "T1\n"
    log = there("audit", "--about", peer_id, "--json").json()
    assert {(row["by"]["kind"], row["by"]["name"]) for row in log} == {("key", "admin-key")}


def test_peers_are_listed_the_newest_first_by_limit_and_cursor(there: There) -> None:
    made = [
        there("peers", "invite", "--name", f"MSP{n}", "--any-party").json()["peer_id"]
        for n in range(3)
    ]
    listed = there("peers", "list", "--limit", "2", "--json")
    assert [row["peer_id"] for row in listed.json()] == made[:0:-1]
    assert "the newest 2; --limit shows more" in there("peers", "list", "--limit", "2").err
    page = there.api.get("/v1/peers?limit=2").json()
    assert [row["peer_id"] for row in page["items"]] == made[:0:-1]
    rest = there.api.get(f"/v1/peers?cursor={page['next']}").json()
    assert [row["peer_id"] for row in rest["items"]] == made[:1]


def test_the_keys_role_decides(there: There) -> None:
    there.role = Role.OPERATOR
    refused = there("tariffs", "default", "--none")
    assert refused.code == 1
    assert refused.err.startswith("cpo: Name the default tariff: needs the role money")


def test_what_needs_the_store_says_so(there: There) -> None:
    for command in (("peers", "show", "x"), ("sessions", "list"), ("tariffs", "list")):
        refused = there(*command)
        assert (refused.code, "needs the store" in refused.err) == (1, True), command


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("http://cpo.example", "the key would travel in the clear"),
        ("cpo.example", "is no address like https://cpo.example.org"),
    ],
)
def test_a_key_is_sent_to_no_place_that_it_should_not_be(cpo: Cpo, server: str, said: str) -> None:
    refused = cpo("--server", server, "peers", "suspend", "x")
    assert refused.code == 1
    assert said in refused.err and refused.err.count("\n") == 1


def test_without_a_key_nothing_is_asked_for_where_nobody_sits(
    there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CPO_API_KEY", raising=False)
    refused = there.cpo("--server", "https://cpo.example", "peers", "suspend", "x")
    assert refused.code == 1
    assert "CPO_API_KEY is not set" in refused.err


def test_charge_points_are_looked_at_there(there: There) -> None:
    assert there("charge-points", "list", "--json").json() == []
    missing = there("charge-points", "show", "CP-404")
    assert missing.err == "cpo: there is no charge point cp-404\n"


def test_lists_are_narrowed_by_the_words_of_the_api(there: There) -> None:
    for number in range(3):
        there("charge-points", "add", f"CP-{number}", "--ocpp", "--location", "Oslo")
    listed = there("charge-points", "list", "--q", "cp-", "--sort", "-id", "--limit", "2", "--json")
    assert [row["id"] for row in listed.json()] == ["CP-2", "CP-1"]
    assert there("charge-points", "list", "--status", "CHARGING", "--json").json() == []
    refused = there("charge-points", "list", "--status", "LOUD")
    assert refused.code == 1 and "status: is none of" in refused.err
