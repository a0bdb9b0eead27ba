"""What goes out for a change, to whom, and in whose name."""

from __future__ import annotations

import base64

import pytest

from domain.objects.locations import owned_location
from domain.outbox.publishing import NotToBeChanged
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.objects import (
    cdr,
    evse,
    location,
    private,
    session,
    tariff,
)

LATER = "2024-05-01T11:00:00Z"


def test_a_new_location_is_put_to_the_party_in_its_body(house: House) -> None:
    emsp, peer_id = house.peer("DE*TNM")
    house.push()

    house.locations(location("LOC1"))

    emsp.wait_until(lambda: emsp.got)
    got = emsp.got[0]
    assert (got.method, got.path) == ("PUT", "/locations/NL/EVC/LOC1")
    assert got.json() == location("LOC1")
    encoded = base64.b64encode(house.tokens[peer_id].encode()).decode()
    assert got.headers["authorization"] == f"Token {encoded}"
    assert {name: value for name, value in got.headers.items() if name.startswith("ocpi-")} == {
        "ocpi-from-country-code": "NL",
        "ocpi-from-party-id": "EVC",
        "ocpi-to-country-code": "DE",
        "ocpi-to-party-id": "TNM",
    }
    assert got.headers["x-request-id"] and got.headers["x-correlation-id"]
    house.until_nothing_is_left()


@pytest.mark.parametrize("slash", ["", "/"])
def test_ids_are_escaped_and_slashes_counted(house: House, slash: str) -> None:
    emsp = house.emsp()
    house.connect(emsp, "DE*TNM", slash=slash)
    house.push()

    house.locations(location("a/b ?#ü"))

    emsp.wait_until(lambda: emsp.got)
    assert emsp.got[0].path == "/locations/NL/EVC/a%2Fb%20%3F%23%C3%BC"


def test_a_status_alone_is_patched(house: House) -> None:
    emsp, _ = house.peer()
    house.push()
    house.locations(location("LOC1"))
    house.until_nothing_is_left()

    house.locations(location("LOC1", at=LATER, evses=[evse("E1"), evse("E2", "CHARGING", LATER)]))

    emsp.wait_until(lambda: len(emsp.got) == 2)
    got = emsp.got[1]
    assert (got.method, got.path) == ("PATCH", "/locations/NL/EVC/LOC1/E2")
    assert got.json() == {"status": "CHARGING", "last_updated": LATER}
    house.until_nothing_is_left()


def test_a_peer_without_patch_gets_the_evse(house: House) -> None:
    emsp = house.emsp()
    house.connect(emsp, "DE*TNM", quirks={"no_patch": True})
    house.push()
    house.locations(location("LOC1"))
    house.until_nothing_is_left()

    house.locations(location("LOC1", at=LATER, evses=[evse("E1"), evse("E2", "CHARGING", LATER)]))

    emsp.wait_until(lambda: len(emsp.got) == 2)
    got = emsp.got[1]
    assert (got.method, got.path) == ("PUT", "/locations/NL/EVC/LOC1/E2")
    assert got.json() == evse("E2", "CHARGING", LATER)


def test_a_peer_that_does_not_know_the_location_gets_it_whole(house: House) -> None:
    house.locations(location("LOC1"))
    emsp, _ = house.peer()  # connects later, and has not pulled
    house.push()

    changed = location("LOC1", at=LATER, evses=[evse("E1"), evse("E2", "CHARGING", LATER)])
    house.locations(changed)

    emsp.wait_until(lambda: len(emsp.got) == 2)
    assert [got.method for got in emsp.got] == ["PATCH", "PUT"]
    assert emsp.held("locations") == {"LOC1": changed}
    house.until_nothing_is_left()


def test_more_than_a_status_goes_whole(house: House) -> None:
    emsp, _ = house.peer()
    house.push()
    house.locations(location("LOC1"))
    house.until_nothing_is_left()

    house.locations(location("LOC1", at=LATER, name="There"))

    emsp.wait_until(lambda: len(emsp.got) == 2)
    assert emsp.got[1].method == "PUT"


def test_changes_made_while_nobody_listens_arrive_once_in_their_last_state(house: House) -> None:
    emsp, _ = house.peer()
    house.locations(*(location("LOC1", name=f"Name {n}") for n in range(5)))

    house.push()

    house.until_nothing_is_left()
    assert [got.json()["name"] for got in emsp.got] == ["Name 4"]


def test_an_unchanged_object_is_not_sent(house: House) -> None:
    house.peer()
    house.locations(location("LOC1"))
    marks = house.marks()

    house.locations(location("LOC1"))

    assert house.marks() == marks


def test_what_turns_private_is_removed_where_it_was_known(house: House) -> None:
    emsp, _ = house.peer()
    house.push()
    house.locations(location("LOC1"))
    house.until_nothing_is_left()

    house.publish("locations", private(location("LOC1")))

    house.until_nothing_is_left()
    held = emsp.held("locations")["LOC1"]
    assert [part["status"] for part in held["evses"]] == ["REMOVED", "REMOVED"]
    assert held["last_updated"] > location("LOC1")["last_updated"]
    count = len(emsp.got)
    house.publish("locations", private(location("LOC1", name="Secret")))
    assert house.marks() == [] and len(emsp.got) == count


def test_what_turned_private_before_it_was_sent_is_not_shown(house: House) -> None:
    emsp, _ = house.peer()
    house.locations(location("LOC1"))
    house.publish("locations", private(location("LOC1")))

    house.push()

    house.until_nothing_is_left()
    assert [got.method for got in emsp.got] == ["GET"]


def test_tariffs_are_put_and_deleted(house: House) -> None:
    emsp, _ = house.peer()
    house.push()
    house.publish("tariffs", tariff("Standard"))
    house.until_nothing_is_left()
    assert list(emsp.held("tariffs")) == ["Standard"]

    assert house.withdraw("tariffs", "nl/evc/standard")

    house.until_nothing_is_left()
    assert emsp.held("tariffs") == {}
    assert (emsp.got[-1].method, emsp.got[-1].path) == ("DELETE", "/tariffs/NL/EVC/Standard")


def test_a_tariff_that_the_peer_does_not_have_is_deleted(house: House) -> None:
    house.publish("tariffs", tariff("Standard"))
    emsp, _ = house.peer()
    house.push()

    house.withdraw("tariffs", "nl/evc/standard")

    house.until_nothing_is_left()
    assert [got.method for got in emsp.got] == ["DELETE", "GET"]


def test_a_session_is_put_then_patched_then_put(house: House) -> None:
    emsp, _ = house.peer()
    house.push()
    for state in (
        session("S1"),
        session("S1", 1.5, total_cost={"excl_vat": 1}),
        session("S1", 2.5, total_cost={"excl_vat": 2}),
        session("S1", 2.5, "COMPLETED", total_cost={"excl_vat": 2}),
    ):
        house.publish("sessions", state)
        house.until_nothing_is_left()

    assert [got.method for got in emsp.got] == ["PUT", "PATCH", "PATCH", "PUT"]
    patch = emsp.got[1].json()
    assert patch.pop("last_updated") > "2024-05-01T10:00:00Z"
    assert patch == {"kwh": 1.5, "total_cost": {"excl_vat": 1}}
    assert emsp.held("sessions")["S1"]["status"] == "COMPLETED"


def test_sessions_and_cdrs_go_to_the_party_whose_token_was_used(house: House) -> None:
    theirs, _ = house.peer("DE*TNM", "DE*TNX")
    others, _ = house.peer("FR*ABC")
    house.push()

    house.publish("sessions", session("S1"))
    house.publish("cdrs", cdr("C1"))
    house.locations(location("LOC1"))

    others.wait_until(lambda: others.got)
    house.until_nothing_is_left()
    assert {got.module for got in theirs.got} == {"sessions", "cdrs", "locations"}
    assert {got.module for got in others.got} == {"locations"}
    to = {got.module: got.headers.get("ocpi-to-party-id") for got in theirs.got}
    assert to == {"sessions": "TNM", "cdrs": "TNM", "locations": None}


def test_a_hub_gets_broadcasts_in_its_own_name(house: House) -> None:
    hub = house.emsp()
    house.connect(hub, "DE*HUB", role="HUB")
    house.push()

    house.locations(location("LOC1"))

    hub.wait_until(lambda: hub.got)
    assert hub.got[0].headers["ocpi-to-party-id"] == "HUB"


def test_only_offered_interfaces_are_used(house: House) -> None:
    emsp = house.emsp()
    house.connect(emsp, "DE*TNM", modules=("tariffs",))

    house.locations(location("LOC1"))
    house.publish("tariffs", tariff("T1"))

    assert [mark["module"] for mark in house.marks()] == ["tariffs"]


def test_a_cdr_is_posted_once_as_it_is_and_its_location_kept(house: House) -> None:
    emsp, peer_id = house.peer()
    house.push()
    obj = cdr("C1", "S1")
    house.publish("cdrs", obj)

    house.until_nothing_is_left()
    assert [(got.method, got.path) for got in emsp.got] == [("POST", "/cdrs")]
    assert emsp.cdrs == {"C1": [obj.document()["raw"]]}

    async def proofs() -> list[dict[str, object]]:
        return await house.db["deliveries"].find().to_list(None)

    (proof,) = house.loop.run(proofs())
    assert proof["location"] == f"{emsp.base_url}/cdrs/C1"
    assert (proof["peer_id"], proof["id"]) == (peer_id, "C1")


def test_a_cdr_cannot_be_changed(house: House) -> None:
    house.publish("cdrs", cdr("C1"))
    assert house.publish("cdrs", cdr("C1")) == "unchanged"
    with pytest.raises(NotToBeChanged):
        house.publish("cdrs", cdr("C1", "another session"))


@pytest.mark.parametrize("module", ["locations", "sessions", "cdrs"])
def test_what_the_text_never_deletes_is_not_withdrawn(house: House, module: str) -> None:
    with pytest.raises(NotToBeChanged):
        house.withdraw(module, "nl/evc/x")


def test_a_session_arrives_before_its_cdr(house: House) -> None:
    emsp, _ = house.peer()
    # The CDR fell behind first, and would go first.
    house.publish("cdrs", cdr("C1", "S1"))
    house.publish("sessions", session("S1", 5, "COMPLETED"))

    house.push()

    house.until_nothing_is_left()
    assert [got.method for got in emsp.got] == ["PUT", "POST"]


def test_an_import_marks_all_of_it(house: House) -> None:
    emsp, _ = house.peer()
    house.locations(location("LOC0"))
    house.push()
    house.until_nothing_is_left()

    outcomes = house.publish_all(
        "locations",
        [
            owned_location(location("LOC0")),
            *(owned_location(location(f"LOC{n}")) for n in range(1, 150)),
        ],
    )

    assert outcomes.count("created") == 149 and outcomes[0] == "unchanged"
    house.until_nothing_is_left()
    assert len(emsp.held("locations")) == 150
    assert len(emsp.got) == 150


def test_a_new_peer_pulls_by_default(house: House) -> None:
    house.locations(location("LOC1"))
    house.push()
    _, peer_id = house.peer()

    async def greeted() -> bool:
        lane = await house.db["push_lanes"].find_one({"_id": peer_id})
        return bool(lane and lane.get("greeted"))

    house.until(lambda: house.loop.run(greeted()))
    assert house.marks() == []


def test_a_new_peer_is_sent_everything_by_setting(house: House) -> None:
    house.locations(location("LOC1"), location("LOC2"))
    house.publish("locations", private(location("LOC3")))
    house.publish("tariffs", tariff("T1"))
    house.publish("sessions", session("S1"))
    house.push(CPO_PUSH_ON_CONNECT=True)

    emsp, _ = house.peer()

    emsp.wait_until(lambda: len(emsp.got) == 4)
    house.until_nothing_is_left()
    assert set(emsp.held("locations")) == {"LOC1", "LOC2"}
    assert set(emsp.held("tariffs")) == {"T1"} and set(emsp.held("sessions")) == {"S1"}
