"""A peer that is given groups of locations: what it can read, and what it can command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db_interface.database import Database
from db_interface.owned_objects import OwnedObject
from domain.peers.location_groups import add, give, put_into
from tests.conftest import Loop
from tests.cpo_app.ocpi.command_face import CommandFace, token
from tests.cpo_app.ocpi.conftest import Face, PeerSide
from tests.cpo_app.ocpi.test_plans import operations, profiled, so_far
from tests.cpo_app.ocpi.test_requirements import ids
from tests.domain.schemas.samples import location, tariff
from tests.peers.subjects import assert_refused, data_of

__all__ = ["profiled"]


@pytest.fixture
def world(db: Database, loop: Loop) -> Iterator[CommandFace]:
    world = CommandFace(db, loop)
    yield world
    world.close()


def given(face: Face, peer: PeerSide, *groups: str) -> None:
    face.loop.run(give(face.store, peer.peer_id, groups or None))
    face.authenticator.forget()


def grouped(face: Face, group: str, *names: str) -> None:
    face.loop.run(add(face.store, group, [f"be/bec/{name}" for name in names]))


def test_list_count_and_look_up_show_its_groups_alone(face: Face) -> None:
    face.keep_locations(*({**location(), "id": f"L{n}"} for n in range(6)))
    grouped(face, "one", "l0", "l2", "l4")
    grouped(face, "two", "l4", "l5")
    peer, other = face.connected("DE*TNM"), face.connected("NL*OTH")
    given(face, peer, "one", "two")

    page = peer.get("locations?limit=3")
    assert ids(page) == ["L0", "L2", "L4"], "each once, in order of creation"
    assert page.headers["x-total-count"] == "4"
    following = page.headers["link"].split("<")[1].split(">")[0]
    assert ids(peer.get(following)) == ["L5"]
    dated = peer.get("locations?limit=2&date_from=2010-01-01T00:00:00Z&offset=2")
    assert (ids(dated), dated.headers["x-total-count"]) == (["L4", "L5"], "4")
    assert data_of(peer.get("locations/l2"))["id"] == "L2"
    for path in ("locations/L1", "locations/L1/3256", "locations/L1/3256/1"):
        assert_refused(peer.get(path), 2003, 404)
    assert "groups" not in data_of(peer.get("locations/L2"))
    assert other.get("locations?limit=2").headers["x-total-count"] == "6"

    given(face, peer)
    assert peer.get("locations?limit=2").headers["x-total-count"] == "6"


def test_a_page_reads_no_more_than_it_shows(face: Face, profiled: Database) -> None:
    peer = face.connected("DE*TNM")
    grouped(face, "one", *(f"l{n}" for n in range(260, 280)))
    grouped(face, "two", *(f"l{n}" for n in range(270, 290)))
    given(face, peer, "one", "two")
    before = so_far(face, profiled)
    page = peer.get("locations?limit=5")
    assert ids(page) == ["L260", "L261", "L262", "L263", "L264"]
    assert page.headers["x-total-count"] == "30"
    data_of(peer.get(page.headers["link"].split("<")[1].split(">")[0]))
    data_of(peer.get("locations/L270"))
    rows = [row for row in operations(face, profiled)[before:] if row["ns"].endswith(".locations")]
    plans = [str(row.get("planSummary")) for row in rows]
    assert len(plans) >= 3 and all("IXSCAN" in plan for plan in plans), plans
    assert any("groups: 1" in plan for plan in plans), plans
    assert not any(row.get("hasSortStage") for row in rows), "read in its order, not sorted"
    # The page, and the exact number of all that it is a page of.
    assert max(row["docsExamined"] for row in rows) <= 6 + 40


def test_tariffs_are_shown_to_it_all_the_same(face: Face) -> None:
    face.keep_locations(location())
    face.loop.run(put_into(face.store, "be/bec/loc1", ["one"]))
    fields = tariff()
    parts = (fields["country_code"], fields["party_id"], (fields["id"],), fields)
    face.keep("tariffs", OwnedObject(*parts, face.peers.now()))
    peer = face.connected("DE*TNM")
    given(face, peer, "one")
    assert ids(peer.get("tariffs")) == [tariff()["id"]]


def test_a_command_at_a_location_outside_is_for_an_unknown_one(world: CommandFace) -> None:
    emsp = world.emsp()
    key = "de/cpo/site-1"
    world.face.loop.run(add(world.face.store, "elsewhere", [key]))
    world.face.loop.run(give(world.face.store, emsp.side.peer_id, ["elsewhere"]))
    world.face.loop.run(put_into(world.face.store, key, []))
    world.face.authenticator.forget()
    assert_refused(emsp.start(token=token(), evse_uid="CP-001"), 2003)
    assert_refused(
        emsp.command("UNLOCK_CONNECTOR", location_id="SITE-1", evse_uid="CP-001", connector_id="1"),
        2003,
    )
    world.face.loop.run(put_into(world.face.store, key, ["elsewhere"]))
    assert data_of(emsp.start(token=token(), evse_uid="CP-001"))["result"] == "ACCEPTED"
