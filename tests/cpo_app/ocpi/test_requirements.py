"""A peer that insists on more than the specification does: what it can read."""

from __future__ import annotations

from typing import Any

from db_interface.database import Database
from domain.peers.requirements import require
from tests.cpo_app.ocpi.conftest import Face, PeerSide
from tests.cpo_app.ocpi.test_plans import operations, profiled, read_by, so_far
from tests.domain.schemas.samples import location
from tests.peers.subjects import data_of

__all__ = ["profiled"]
OWNED = {"owner": {"name": "Owner"}}


def insists(face: Face, peer: PeerSide, *fields: str) -> None:
    face.loop.run(require(face.store, peer.peer_id, fields))
    face.authenticator.forget()


def ids(answer: Any) -> list[str]:
    return [one["id"] for one in data_of(answer)]


def test_list_count_and_look_up_leave_out_what_lacks_a_field(face: Face) -> None:
    sparse = location()
    sparse.pop("owner", None)
    face.keep_locations(
        *({**sparse, "id": f"B{n}"} for n in range(3)),
        *({**sparse, "id": f"F{n}", **OWNED} for n in range(3)),
    )
    peer, other = face.connected("DE*TNM"), face.connected("NL*OTH")
    insists(face, peer, "owner.name")

    page = peer.get("locations?limit=2")
    assert ids(page) == ["F0", "F1"]
    assert page.headers["x-total-count"] == "3"
    following = page.headers["link"].split("<")[1].split(">")[0]
    assert ids(peer.get(following)) == ["F2"]
    dated = peer.get("locations?limit=2&date_from=2010-01-01T00:00:00Z")
    assert dated.headers["x-total-count"] == "3"
    assert data_of(peer.get("locations/F0"))["id"] == "F0"
    assert peer.get("locations/B0").status_code == 404
    assert other.get("locations?limit=2").headers["x-total-count"] == "6"
    assert data_of(other.get("locations/B0"))["id"] == "B0"

    insists(face, peer)
    assert peer.get("locations?limit=2").headers["x-total-count"] == "6"


def test_what_it_reads_is_found_by_an_index(face: Face, profiled: Database) -> None:
    peer = face.connected("DE*TNM")
    insists(face, peer, "evse_id", "opening_times")
    before = so_far(face, profiled)
    peer.get("locations?limit=5")
    peer.get("locations?offset=2&limit=5")
    peer.get("locations/L7")
    plans = [
        str(row.get("planSummary"))
        for row in operations(face, profiled)[before:]
        if "locations" in read_by(row)
    ]
    assert len(plans) >= 3
    assert [plan for plan in plans if "COLLSCAN" in plan] == []
