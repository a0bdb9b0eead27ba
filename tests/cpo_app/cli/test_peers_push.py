"""`cpo peers show`, `resync`, `suspend`, `resume`, `block`: the push as the operator sees it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cpo_app.cli import locations, peers
from cpo_app.cli.errors import CliError
from db_interface.database import Database
from domain.objects.location_fields import PROFILES
from tests.conftest import Loop
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.objects import cdr, location, tariff


@pytest.fixture
def house(
    db: Database, loop: Loop, store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[House]:
    monkeypatch.setenv("CPO_MONGO_URL", store_url)
    monkeypatch.setenv("CPO_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CPO_ENCRYPTION_KEY", "k" * 32)
    monkeypatch.setenv("REGISTRY_SECRET_KEY", "r" * 64)
    with contextlib.ExitStack() as stack:
        yield House(db, loop, stack)


def cpo_peers(*arguments: str) -> Any:
    result = CliRunner().invoke(peers.app, list(arguments))
    if result.exception is not None:
        raise result.exception
    return result.stdout


def shown(peer_id: str) -> dict[str, Any]:
    return json.loads(cpo_peers("show", peer_id, "--json"))["push"]


def test_show_says_how_far_behind_a_peer_is_and_why(house: House) -> None:
    _, peer_id = house.peer(fault=lambda got: "ocpi 2001" if got.path.endswith("LOC1") else None)
    house.push()
    house.locations(location("LOC1"), location("LOC2"))
    house.publish("cdrs", cdr("C1"))
    house.until(lambda: len(house.marks()) == 1 and house.marks()[0].get("error"))

    push = shown(peer_id)

    assert (push["state"], push["backlog"], push["cdrs_delivered"]) == ("working", 1, 1)
    assert push["oldest"] is not None
    (held,) = push["held_back"]
    assert (held["object"], held["attempts"]) == ("nl/evc/loc1", 1)
    assert "2001: no such luck" in held["reason"]
    text = cpo_peers("show", peer_id)
    assert "no such luck" in text and house.tokens[peer_id] not in text


def test_show_says_that_a_peer_fails(house: House) -> None:
    _, peer_id = house.peer(fault=lambda _: "503")
    house.push()
    house.locations(location("LOC1"))

    house.until(lambda: shown(peer_id)["failures"])

    push = shown(peer_id)
    assert (push["state"], push["reason"]) == ("pausing", "the peer answered HTTP 503")
    assert push["next_try"] is not None


def test_resync_marks_everything_anew(house: House) -> None:
    emsp, peer_id = house.peer()
    house.locations(location("LOC1"), location("LOC2"))
    house.publish("tariffs", tariff("T1"))
    house.push()
    house.until_nothing_is_left()
    emsp.objects.clear()

    assert json.loads(cpo_peers("resync", peer_id, "--module", "locations"))["marked"] == 2
    house.until_nothing_is_left()
    assert set(emsp.held("locations")) == {"LOC1", "LOC2"} and not emsp.held("tariffs")
    assert json.loads(cpo_peers("resync", peer_id))["marked"] == 3
    house.until_nothing_is_left()
    assert set(emsp.held("tariffs")) == {"T1"}


def test_resync_of_one_object_marks_that_one_alone(house: House) -> None:
    emsp, peer_id = house.peer()
    house.locations(location("LOC1"), location("LOC2"))
    house.push()
    house.until_nothing_is_left()
    emsp.objects.clear()

    one = ("resync", peer_id, "--module", "locations", "--object", "loc2")
    assert json.loads(cpo_peers(*one))["marked"] == 1
    house.until_nothing_is_left()
    assert set(emsp.held("locations")) == {"LOC2"}
    for wrong, said in (
        (("--object", "LOC2"), "module: is needed"),
        (("--module", "locations", "--object", "LOC9"), "there is no location LOC9"),
    ):
        with pytest.raises(CliError, match=said):
            cpo_peers("resync", peer_id, *wrong)


def test_resync_of_what_is_not_pushed_is_refused(house: House) -> None:
    _, peer_id = house.peer()
    with pytest.raises(CliError, match="tokens is not pushed"):
        cpo_peers("resync", peer_id, "--module", "tokens")
    cpo_peers("block", peer_id)
    with pytest.raises(CliError, match="nothing is pushed to it"):
        cpo_peers("resync", peer_id)


def test_a_blocked_peer_that_is_resumed_gets_what_it_missed(house: House) -> None:
    emsp, peer_id = house.peer()
    cpo_peers("block", peer_id)
    house.locations(location("LOC1"))
    assert house.marks() == []
    house.push()

    cpo_peers("resume", peer_id)

    emsp.wait_until(lambda: emsp.held("locations"))


def test_require_says_what_is_not_offered_and_why(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    _, peer_id = house.peer()
    house.locations(location("FULL", owner={"name": "Owner"}), location("BARE"))

    cpo_peers("require", peer_id, "owner.name")
    found = json.loads(cpo_peers("show", peer_id, "--json"))
    assert found["settings"]["requires"] == ["owner.name"]
    assert found["not_offered"] == {
        "number": 1,
        "first": [{"key": "nl/evc/bare", "location": "NL/EVC/BARE", "because": "lacks owner.name"}],
    }
    assert "lacks owner.name" in cpo_peers("show", peer_id)
    shown_location = CliRunner().invoke(locations.app, ["show", "BARE"])
    said = shown_location.output + capsys.readouterr().err
    assert f"not offered to {peer_id}" in said and "because it lacks owner.name" in said
    assert "not offered" not in CliRunner().invoke(locations.app, ["show", "FULL"]).output

    cpo_peers("require", peer_id, "--profile", "gireve")
    found = json.loads(cpo_peers("show", peer_id, "--json"))
    assert found["settings"]["requires"] == list(PROFILES["gireve"])
    assert found["not_offered"]["number"] == 2
    cpo_peers("require", peer_id, "--none")
    assert json.loads(cpo_peers("show", peer_id, "--json"))["not_offered"]["number"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name fields or a --profile, or --none"),
        (("--none", "--profile", "gireve"), "name fields or a --profile, or --none"),
        (("--profile", "x"), "x is not a profile; there are: gireve, dot-nl"),
        (("colour",), "colour cannot be required"),
    ],
)
def test_what_cannot_be_required_is_said(
    house: House, arguments: tuple[str, ...], said: str
) -> None:
    _, peer_id = house.peer()
    with pytest.raises(CliError, match=said):
        cpo_peers("require", peer_id, *arguments)


def test_modules_are_required_and_what_is_missing_is_said(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    _, peer_id = house.peer()
    named = ["require-modules", peer_id, "hubclientinfo", "locations:RECEIVER"]
    said = CliRunner().invoke(peers.app, named).output + capsys.readouterr().err
    assert "does not offer hubclientinfo now" in said
    found = json.loads(cpo_peers("show", peer_id, "--json"))
    assert found["settings"]["modules"] == ["hubclientinfo", "locations:RECEIVER"]
    cpo_peers("require-modules", peer_id, "--none")
    assert json.loads(cpo_peers("show", peer_id, "--json"))["settings"]["modules"] == []
    with pytest.raises(CliError, match="colour is not a module"):
        cpo_peers("require-modules", peer_id, "colour")
    invited = json.loads(cpo_peers("invite", "--name", "N", "--require-module", "tokens:SENDER"))
    found = json.loads(cpo_peers("show", invited["peer_id"], "--json"))
    assert found["settings"]["modules"] == ["tokens:SENDER"]


def test_a_peer_is_offered_some_versions_alone(house: House) -> None:
    _, peer_id = house.peer()

    def settings() -> dict[str, list[str]]:
        found: dict[str, list[str]] = json.loads(cpo_peers("show", peer_id, "--json"))["settings"]
        return found

    cpo_peers("offer-versions", peer_id, "2.3.0", "2.2.1")
    assert settings()["versions"] == ["2.2.1", "2.3.0"]
    cpo_peers("offer-versions", peer_id, "--all")
    assert settings()["versions"] == []
    for wrong in ([], ["2.2.1", "--all"], ["2.9"]):
        with pytest.raises(CliError, match=r"name versions|2\.9 is no version"):
            cpo_peers("offer-versions", peer_id, *wrong)


def test_a_peer_is_not_locked_out_unless_that_is_said(house: House) -> None:
    """It speaks 2.2.1, and would not be served any more."""
    _, peer_id = house.peer()
    house.loop.run(house.peers.set(peer_id, house.peers.now(), version="2.2.1"))

    def offered() -> list[str] | None:
        found = json.loads(cpo_peers("show", peer_id, "--json"))["settings"]
        named: list[str] | None = found.get("versions")
        return named

    with pytest.raises(CliError, match=r"speaks OCPI 2\.2\.1: all of its requests.*404.*--yes"):
        cpo_peers("offer-versions", peer_id, "2.3.0")
    assert offered() is None
    cpo_peers("offer-versions", peer_id, "2.3.0", "2.2.1")
    cpo_peers("offer-versions", peer_id, "2.3.0", "--yes")
    assert offered() == ["2.3.0"]


def test_locations_are_grouped_and_a_peer_is_given_the_group(house: House) -> None:
    _, peer_id = house.peer()
    house.locations(location("NORTH"), location("SOUTH"))

    def cpo_locations(*arguments: str, stdin: str | None = None) -> str:
        result = CliRunner().invoke(locations.app, list(arguments), input=stdin)
        if result.exception is not None:
            raise result.exception
        return result.stdout

    cpo_locations("group", "Up", "add", "north")
    cpo_locations("group", "all-of-it", "add", "-", stdin="NORTH nl/evc/south\n")
    assert cpo_locations("group", "up", "list").split() == ["nl/evc/north"]
    cpo_peers("groups", peer_id, "up")
    assert json.loads(cpo_locations("groups", "--json")) == [
        {"group": "all-of-it", "locations": 2, "peers": []},
        {"group": "up", "locations": 1, "peers": [peer_id]},
    ]
    cpo_locations("group", "all-of-it", "remove", "NORTH", "SOUTH")
    assert "all-of-it" not in cpo_locations("groups")
    assert (
        "in none of its groups (up)" in CliRunner().invoke(locations.app, ["show", "SOUTH"]).output
    )
    cpo_peers("groups", peer_id, "all")
    assert json.loads(cpo_peers("show", peer_id, "--json"))["settings"]["groups"] is None
    for bad, said in (
        (("group", "up", "put", "NORTH"), "add, remove or list"),
        (("group", "up", "add"), "name locations"),
        (("group", "all", "add", "NORTH"), "cannot be a group's name"),
        (("group", "up", "add", "EAST"), "there is no location EAST"),
    ):
        with pytest.raises(CliError, match=said):
            cpo_locations(*bad)
    with pytest.raises(CliError, match="no location is in a group nowhere"):
        cpo_peers("groups", peer_id, "nowhere")
