"""Peers that fail in every way: in the end each holds the present state, and nobody else waits."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone

import pytest

from crud.hubclientinfo import HubClientInfo
from db_interface.json_data import JsonMapping
from domain.outbox import push_lanes
from domain.outbox.marks import mark_everything, post_again
from domain.peers.peer_document import PEERS
from domain.peers.statuses import CONNECTED, SUSPENDED
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.objects import AT, TOKEN, cdr, evse, location, session, tariff
from tests.cpo_app.ocpi.push.receiving_emsp import Got

LATER = "2024-05-01T11:00:00Z"


def now() -> datetime:
    return datetime.now(timezone.utc)


def lane(house: House, peer_id: str) -> JsonMapping:
    return house.loop.run(push_lanes.lane_of(house.db, peer_id))


@pytest.mark.parametrize(
    "fault",
    [
        "hang", "reset", "half", "500", "503", "429", "ocpi 3000",
        "after hang", "after reset", "after half", "after 500",
    ],
)  # fmt: skip
def test_a_failing_peer_ends_in_the_present_state_and_hinders_nobody(
    house: House, fault: str
) -> None:
    broken = threading.Event()
    broken.set()
    bad, _ = house.peer("DE*TNM", fault=lambda _: fault if broken.is_set() else None)
    good, _ = house.peer("DE*GUT")
    of_good = {**TOKEN, "party_id": "GUT"}
    house.push(timeout_s=0.5)
    bills = [cdr(f"C{n}", "S1") for n in range(3)]

    house.locations(*(location(f"LOC{n}") for n in range(5)))
    house.publish("tariffs", tariff("T1"))
    house.publish("sessions", session("S1", 3, "COMPLETED"))
    for bill in bills:
        house.publish("cdrs", bill)
    house.publish("sessions", session("S2", 3, "COMPLETED", of_good))
    for n in range(3):
        house.publish("cdrs", cdr(f"G{n}", "S2", of_good))
    bad.wait_until(lambda: bad.got)
    house.locations(location("LOC0", at=LATER, evses=[evse("E1"), evse("E2", "CHARGING", LATER)]))

    good.wait_until(lambda: len(good.cdrs) == 3 and len(good.held("locations")) == 5)
    good.wait_until(lambda: good.held("locations")["LOC0"]["evses"][1]["status"] == "CHARGING")
    assert broken.is_set() and house.marks()
    broken.clear()
    house.until_nothing_is_left(40)
    for module in ("locations", "tariffs"):
        assert bad.held(module) == good.held(module), module
    assert [list(one.held("sessions")) for one in (bad, good)] == [["S1"], ["S2"]]
    assert bad.cdrs == {bill.fields["id"]: [bill.document()["raw"]] for bill in bills}


def test_a_peer_that_is_gone_is_served_when_it_comes_back(house: House) -> None:
    emsp, peer_id = house.peer()
    house.loop.run(emsp.stop())
    house.push()
    house.locations(location("LOC1"))
    house.until(lambda: lane(house, peer_id).get("failures"))
    house.locations(location("LOC1", name="There"), location("LOC2"))
    assert "cannot be reached" in house.loop.run(house.peers.get(peer_id)).last_error["text"]  # type: ignore[index]

    house.loop.run(emsp.start(emsp.port))

    house.until_nothing_is_left()
    assert [got.json()["name"] for got in emsp.got if got.path.endswith("LOC1")] == ["There"]
    assert lane(house, peer_id)["failures"] == 0


def test_retry_after_is_honoured(house: House) -> None:
    refused = threading.Event()
    emsp, peer_id = house.peer(fault=lambda _: None if refused.is_set() else "429")
    house.push()

    house.locations(location("LOC1"))

    house.until(lambda: lane(house, peer_id).get("failures"))
    shut = lane(house, peer_id)
    assert shut["retry_at"] - shut["opened"] >= timedelta(seconds=1)
    refused.set()
    house.until_nothing_is_left()
    assert len(emsp.got) == 2


def test_an_object_that_is_refused_waits_alone_and_says_why(house: House) -> None:
    def dislikes(got: Got) -> str | None:
        return "ocpi 2001" if "LOC1" in got.path and b"Bad" in got.body else None

    emsp, peer_id = house.peer(fault=dislikes)
    house.push()

    house.locations(location("LOC1", name="Bad"), *(location(f"LOC{n}") for n in range(2, 6)))

    house.until(lambda: len(house.marks()) == 1 and house.marks()[0].get("error"))
    assert set(emsp.held("locations")) == {"LOC2", "LOC3", "LOC4", "LOC5"}
    (held,) = house.held_back(peer_id)
    assert (held.module, held.object) == ("locations", "nl/evc/loc1")
    assert held.reason == "the peer answered OCPI status 2001: no such luck"
    assert held.next_try > now() + timedelta(minutes=2)
    assert not lane(house, peer_id).get("failures")
    house.locations(location("LOC1", name="Good"))
    house.until_nothing_is_left()
    assert emsp.held("locations")["LOC1"]["name"] == "Good"


def test_an_object_that_breaks_the_peer_does_not_block_the_others(house: House) -> None:
    emsp, _ = house.peer(fault=lambda got: "500" if "POISON" in got.path else None)
    house.push()

    house.locations(location("POISON"), *(location(f"LOC{n}") for n in range(20)))

    emsp.wait_until(lambda: len(emsp.held("locations")) == 20)
    house.until(lambda: len(house.marks()) == 1)


def test_a_peer_that_does_not_let_us_in_fails_as_a_whole_until_it_is_changed(house: House) -> None:
    let_in = threading.Event()
    emsp, peer_id = house.peer(fault=lambda _: None if let_in.is_set() else "401")
    house.push()

    house.locations(location("LOC1"))

    house.until(lambda: lane(house, peer_id).get("failures"))
    assert lane(house, peer_id)["retry_at"] > now() + timedelta(seconds=20)
    house.until(lambda: house.loop.run(house.peers.get(peer_id)).last_error)
    assert "401" in house.loop.run(house.peers.get(peer_id)).last_error["text"]  # type: ignore[index]
    let_in.set()
    # New credentials, a quirk, a resume: whatever the operator does is tried at once.
    house.loop.run(house.peers.set(peer_id, now(), name="Mended"))
    house.until_nothing_is_left()
    assert set(emsp.held("locations")) == {"LOC1"}


def test_a_suspended_peer_hears_of_it_when_it_is_resumed(house: House) -> None:
    emsp, peer_id = house.peer()
    house.loop.run(house.peers.set(peer_id, now(), status=SUSPENDED))
    other, _ = house.peer("FR*ABC")
    house.push()
    house.locations(*(location("LOC1", name=f"Name {n}") for n in range(3)))
    other.wait_until(lambda: other.held("locations").get("LOC1", {}).get("name") == "Name 2")
    assert emsp.got == [] and len(house.marks(peer_id=peer_id)) == 1

    house.loop.run(house.peers.set(peer_id, now(), status=CONNECTED))

    house.until_nothing_is_left()
    assert [got.json()["name"] for got in emsp.got] == ["Name 2"]


def test_a_party_that_its_hub_calls_offline_is_not_called(house: House) -> None:
    hub, hub_id = house.peer("DE*TNM", "DE*TNX")
    role = {"role": "HUB", "country_code": "DE", "party_id": "HUB"}
    house.loop.run(PEERS.of(house.db).update_one({"_id": hub_id}, {"$push": {"roles": role}}))

    def says(status: str) -> None:
        info = {"country_code": "DE", "party_id": "TNM", "role": "EMSP", "status": status}
        info["last_updated"] = AT
        house.loop.run(HubClientInfo(house.store).create(info, peer_id=hub_id))

    says("OFFLINE")
    house.push()
    online = {"country_code": "DE", "party_id": "TNX", "uid": "U2", "type": "RFID"}
    house.publish("sessions", session("S1"))
    house.publish("sessions", session("S2", token=online))

    house.until(lambda: len(house.marks()) == 1 and house.marks()[0].get("error"))
    assert set(hub.held("sessions")) == {"S2"}
    (held,) = house.held_back(hub_id)
    assert held.reason == "DE*TNM is not online, says its hub"
    says("CONNECTED")
    house.until_nothing_is_left(30)
    assert set(hub.held("sessions")) == {"S1", "S2"}


def test_a_cdr_of_unknown_outcome_is_not_sent_again_while_the_peer_cannot_tell(
    house: House,
) -> None:
    lost = threading.Event()

    def fault(got: Got) -> str | None:
        if got.method == "GET":
            return "405"
        return None if lost.is_set() else "after reset"

    emsp, peer_id = house.peer(fault=fault)
    house.push()
    house.publish("cdrs", cdr("C1"))

    emsp.wait_until(lambda: emsp.of("GET"))
    lost.set()
    house.until(lambda: house.marks() and "405" in house.marks()[0]["error"]["text"])
    assert len(emsp.of("POST")) == 1
    # The operator has asked the peer, and it has not got it.
    emsp.cdrs.clear()
    peer = house.loop.run(house.peers.get(peer_id))
    assert house.loop.run(post_again(house.db, peer_id)) == 1
    assert house.loop.run(mark_everything(house.store, peer.document, ("cdrs",))) == 1
    house.until_nothing_is_left()
    assert len(emsp.cdrs["C1"]) == 1


def test_a_delivered_cdr_is_never_sent_again(house: House) -> None:
    emsp, peer_id = house.peer()
    house.push()
    house.publish("cdrs", cdr("C1"))
    house.locations(location("LOC1"))
    house.until_nothing_is_left()

    peer = house.loop.run(house.peers.get(peer_id))
    assert house.loop.run(mark_everything(house.store, peer.document)) == 1  # the location

    house.until_nothing_is_left()
    assert len(emsp.of("POST")) == 1 and len(emsp.of("PUT")) == 2


def test_two_processes_never_send_an_older_state_after_a_newer_one(house: House) -> None:
    emsp, _ = house.peer()
    house.push()
    house.push()

    for n in range(20):
        house.locations(*(location(f"LOC{k}", name=f"{n:03}") for k in range(3)))

    house.until_nothing_is_left()
    for k in range(3):
        names = [got.json()["name"] for got in emsp.got if got.path.endswith(f"LOC{k}")]
        assert names == sorted(names) and names[-1] == "019"
        assert len(names) == len(set(names))


def test_a_process_that_stops_leaves_its_lanes_to_the_others(house: House) -> None:
    emsp, _ = house.peer()
    with house.pushing():
        house.locations(location("LOC1"))
        house.until_nothing_is_left()
    house.push()

    house.locations(location("LOC2"))

    house.until_nothing_is_left()
    assert set(emsp.held("locations")) == {"LOC1", "LOC2"}


def test_marks_of_a_removed_peer_go(house: House) -> None:
    _, peer_id = house.peer()
    house.locations(location("LOC1"))
    assert house.marks()
    house.loop.run(house.peers.disconnect(peer_id, now()))

    house.push()

    house.until_nothing_is_left()
