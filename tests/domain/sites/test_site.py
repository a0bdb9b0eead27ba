"""Several charge points of one site are one Location, and what peers know is never lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.schemas import format_datetime, parse_datetime
from domain.sites import HeldBack, build_location, site_id_of
from tests.domain.sites.registrations import LATER, NOW, Acme, built, reasons, record

STAMP, LATER_STAMP = "2024-05-01T12:00:00Z", "2024-05-01T13:00:00Z"


def at_mall(cp_id: str, day: int = 1, **changes: Any) -> dict[str, Any]:
    metadata = {"site_id": "MALL", **changes.pop("metadata", {})}
    return record(cp_id, day=day, metadata=metadata, **changes)


def statuses_of(location: dict[str, Any]) -> dict[str, str]:
    return {evse["uid"]: evse["status"] for evse in location["evses"]}


def test_charge_points_of_one_site_are_evses_of_one_location() -> None:
    outcome = built(
        at_mall("CP-2", day=2),
        at_mall("CP-1", day=1),
        statuses={"CP-1": "CHARGING", "CP-2": "AVAILABLE"},
    )

    assert outcome.location["id"] == "MALL"
    assert list(statuses_of(outcome.location).items()) == [
        ("CP-1", "CHARGING"),
        ("CP-2", "AVAILABLE"),
    ]


def test_the_first_registered_says_what_the_site_is() -> None:
    first = at_mall("CP-9", day=1, metadata={"name": "Mall", "parking_type": "PARKING_LOT"})
    second = at_mall("CP-1", day=2, metadata={"name": "Other", "state": "Berlin"})

    location = built(second, first).location
    by_operator = built({**second, "by_operator": True}, first).location

    assert (location["name"], location.get("state")) == ("Mall", None)
    assert (by_operator["name"], by_operator["state"]) == ("Mall", "Berlin")


def test_the_operators_good_value_stands_in_for_a_bad_one() -> None:
    first = at_mall("CP-1", day=1, metadata={"coordinates": "?"})
    second = at_mall("CP-2", day=2, metadata={"coordinates": "52.5, 13.4"}, by_operator=True)

    outcome = built(first, second)

    assert outcome.location["coordinates"] == {"latitude": "52.50000", "longitude": "13.40000"}
    assert "coordinates of CP-1" in outcome.warnings[0]


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("publish", "garbage"),
        ("coordinates", "?"),
        ("parking_type", "ON_THE_MOON"),
        ("country", "Atlantis"),
        ("postal_code", {"code": 7}),
        ("images", [{"url": "not a url"}]),
        ("directions", [{"language": "en", "text": "Left"}, 7]),
    ],
)
def test_a_bad_field_of_the_operators_takes_its_charge_point_out_and_not_the_site(
    key: str, bad: object
) -> None:
    owner = at_mall("CP-1", day=1, metadata={"name": "Mall", "publish": True})
    neighbour = at_mall("CP-2", day=2, metadata={key: bad}, by_operator=True)

    outcome = built(owner, neighbour)

    assert list(statuses_of(outcome.location)) == ["CP-1"]
    (reason,) = outcome.left_out["CP-2"]
    assert reason.startswith(f"{key} of CP-2: ") and reason.endswith(f"; mend metadata.{key}")
    assert key == "publish" or outcome.location.get(key) != bad

    # One that peers know stays as they know it, and is back once it is mended.
    good = {**neighbour, "metadata": {"site_id": "MALL", "name": "Other"}}
    before = built(owner, good).location
    turned = built(owner, neighbour, previous=before).location
    assert statuses_of(turned) == {"CP-1": "UNKNOWN", "CP-2": "UNKNOWN"}
    assert "CP-2" not in built(owner, good, previous=turned).left_out


def test_the_only_one_that_can_speak_does_so_as_far_as_it_is_good() -> None:
    private = at_mall("CP-1", day=1, metadata={"roaming": False})
    alone = at_mall("CP-2", day=2, metadata={"parking_type": "MOON"}, by_operator=True)
    outcome = built(private, alone)
    assert list(statuses_of(outcome.location)) == ["CP-2"]
    assert any("parking_type of CP-2" in warning for warning in outcome.warnings)


def test_an_owner_that_turns_bad_takes_itself_out_and_not_its_site() -> None:
    guest = at_mall("CP-2", day=2, site_guest=True)
    before = built(at_mall("CP-1"), guest).location
    bad = at_mall("CP-1", metadata={"publish": "garbage"})

    outcome = built(bad, guest, previous=before, now=LATER)

    assert statuses_of(outcome.location) == {"CP-1": "UNKNOWN", "CP-2": "UNKNOWN"}
    assert list(outcome.left_out) == ["CP-1"]
    assert statuses_of(built(bad, guest).location) == {"CP-2": "UNKNOWN"}


PHISHING = {
    "coordinates": "10.0, 20.0",
    "operator": {"name": "Totally legit", "website": "https://phishing.example.com/pay"},
    "publish": "garbage",
}


def test_one_that_names_anothers_site_waits_and_changes_nothing() -> None:
    owner = at_mall("CP-1", day=5)
    evil = at_mall("EVIL", day=1, metadata=PHISHING, site_waiting=True, site_guest=True)

    outcome = built(owner, evil)

    assert outcome.location == built(owner).location
    assert "site_members" in outcome.left_out["EVIL"][0]


@pytest.mark.parametrize(
    ("owner", "guest"),
    [({}, {"site_waiting": False}), ({"site_members": ["cp-2"]}, {"site_waiting": True})],
)
def test_one_that_was_let_in_adds_its_evse_and_nothing_else(
    owner: dict[str, Any], guest: dict[str, Any]
) -> None:
    first = at_mall("CP-1", day=5, metadata=owner)
    second = at_mall("CP-2", day=1, metadata=PHISHING, site_guest=True, **guest)

    both, alone = built(first, second).location, built(first).location

    assert set(statuses_of(both)) == {"CP-1", "CP-2"}
    assert {**both, "evses": []} == {**alone, "evses": []}


def test_a_charge_point_may_stand_apart_from_its_site() -> None:
    first = at_mall("CP-1", day=1, metadata={"coordinates": "52.5, 13.4"})
    second = at_mall("CP-2", day=2, metadata={"coordinates": "52.6, 13.5"})

    evses = built(first, second).location["evses"]

    assert "coordinates" not in evses[0]
    assert evses[1]["coordinates"] == {"latitude": "52.60000", "longitude": "13.50000"}


def test_a_charge_point_has_facts_of_its_own() -> None:
    metadata = {
        "floor_level": -1,
        "physical_reference": "A7",
        "parking_restrictions": "CUSTOMERS",
        "evse_id": "DE*ABC*E041503001",
        "capabilities": ["RFID_READER"],
        "evse": {"directions": {"language": "de", "text": "Hinten links"}},
    }

    evse = built(record(metadata=metadata)).location["evses"][0]

    del evse["connectors"], evse["last_updated"], evse["uid"], evse["status"]
    assert evse == {
        "evse_id": "DE*ABC*E041503001",
        "capabilities": ["RFID_READER"],
        "floor_level": "-1",
        "physical_reference": "A7",
        "directions": [{"language": "de", "text": "Hinten links"}],
        "parking_restrictions": ["CUSTOMERS"],
    }


def test_a_deregistered_charge_point_is_removed_whatever_its_state() -> None:
    location = built(record(status="DEREGISTERED"), statuses={"CP-001": "AVAILABLE"}).location

    assert statuses_of(location) == {"CP-001": "REMOVED"}


@pytest.mark.parametrize("statuses", [{}, {"CP-001": "ON_FIRE"}])
def test_an_unknown_state_is_unknown(statuses: dict[str, str]) -> None:
    assert statuses_of(built(record(), statuses=statuses).location) == {"CP-001": "UNKNOWN"}


def test_a_private_charge_point_is_left_out_of_its_public_site() -> None:
    private = at_mall("CP-1", day=1, metadata={"roaming": False, "name": "Back yard"})

    outcome = built(private, at_mall("CP-2", day=2))

    assert not outcome.private
    assert statuses_of(outcome.location) == {"CP-2": "UNKNOWN"}
    assert "name" not in outcome.location
    assert outcome.left_out == {"CP-1": ["private: metadata.roaming is false"]}


def test_a_bad_charge_point_does_not_take_its_neighbours_off_the_map() -> None:
    good, bad = at_mall("CP-1"), at_mall("CP-2", metadata={"power_rating": "much"})

    outcome = built(good, bad)

    assert statuses_of(outcome.location) == {"CP-1": "UNKNOWN"}
    assert list(outcome.left_out) == ["CP-2"]
    assert "metadata.power_rating" in outcome.left_out["CP-2"][0]


def test_a_known_charge_point_that_turns_bad_stays_as_peers_know_it() -> None:
    before = built(at_mall("CP-1"), at_mall("CP-2", metadata={"power_rating": "11kW"})).location
    bad = at_mall("CP-2", metadata={"power_rating": "much"})

    after = built(
        at_mall("CP-1"), bad, previous=before, statuses={"CP-2": "CHARGING"}, now=LATER
    ).location

    assert after["evses"][1] == {
        **before["evses"][1],
        "status": "CHARGING",
        "last_updated": LATER_STAMP,
    }


def test_ids_that_differ_in_case_only_are_not_offered_twice() -> None:
    outcome = built(at_mall("CP-1", day=1), at_mall("cp-1", day=2))

    assert statuses_of(outcome.location) == {"CP-1": "UNKNOWN"}
    assert "cp-1" in outcome.left_out


def test_an_evse_that_peers_know_never_vanishes() -> None:
    before = built(at_mall("CP-1"), at_mall("CP-2")).location

    after = built(at_mall("CP-2"), previous=before, now=LATER).location
    empty = built(previous=before, now=LATER).location

    assert statuses_of(after) == {"CP-1": "REMOVED", "CP-2": "UNKNOWN"}
    assert statuses_of(empty) == {"CP-1": "REMOVED", "CP-2": "REMOVED"}


def test_no_charge_point_is_no_location() -> None:
    assert isinstance(build_location([], {}, Acme(), now=NOW), HeldBack)
    assert reasons(at_mall("CP-1", metadata={"roaming": []})) == [
        "roaming of CP-1: value is not a boolean; mend metadata.roaming"
    ]


def test_nothing_moves_while_nothing_changes() -> None:
    records = [at_mall("CP-1"), at_mall("CP-2")]
    before = built(*records).location

    assert built(*reversed(records), previous=before, now=LATER).location == before


def test_a_status_moves_its_evse_and_its_location_only() -> None:
    records = [at_mall("CP-1"), at_mall("CP-2")]
    before = built(*records).location

    after = built(*records, statuses={"CP-2": "CHARGING"}, previous=before, now=LATER).location

    assert after["evses"][0] == before["evses"][0]
    assert after["evses"][1]["last_updated"] == after["last_updated"] == LATER_STAMP
    assert after["evses"][1]["connectors"] == before["evses"][1]["connectors"]


def test_a_connector_moves_its_evse_and_its_location() -> None:
    two = {"connectors": [{"standard": "CCS"}, {"standard": "CHADEMO"}]}
    before = built(record(metadata=two)).location
    two["connectors"][1]["max_amperage"] = 100  # type: ignore[assignment]

    after = built(record(metadata=two), previous=before, now=LATER).location

    first, second = after["evses"][0]["connectors"]
    assert first["last_updated"] == STAMP
    assert second["last_updated"] == LATER_STAMP
    assert after["evses"][0]["last_updated"] == after["last_updated"] == LATER_STAMP


def test_a_fact_of_the_location_moves_the_location_only() -> None:
    before = built(record()).location

    after = built(record(metadata={"name": "New"}), previous=before, now=LATER).location

    assert after["last_updated"] == LATER_STAMP
    assert after["evses"] == before["evses"]


def test_time_never_runs_backwards() -> None:
    before = built(record(), now=LATER).location

    after = built(record(metadata={"name": "New"}), previous=before, now=NOW).location

    assert after["last_updated"] == format_datetime(LATER + timedelta(milliseconds=1))


def test_two_states_of_one_instant_bear_different_timestamps() -> None:
    stamps, location = [], built(record()).location
    for name in ("One", "Two", "Three"):
        location = built(record(metadata={"name": name}), previous=location, now=NOW).location
        stamps.append(parse_datetime(location["last_updated"]))

    assert stamps == [NOW + timedelta(milliseconds=step) for step in (1, 2, 3)]
    assert built(record(metadata={"name": name}), previous=location, now=NOW).location == location


def test_a_location_keeps_its_id() -> None:
    before = built(at_mall("CP-1", metadata={"site_id": "Mall"})).location

    after = built(at_mall("CP-1", metadata={"site_id": "MALL"}), previous=before).location

    assert after["id"] == "Mall"


@pytest.mark.parametrize(
    ("site_id", "expected"),
    [
        ("MALL", "MALL"),
        (" Mall-1 ", "Mall-1"),
        (17, "17"),
        ("", "CP-001"),
        (None, "CP-001"),
        (True, "CP-001"),
        (["MALL"], "CP-001"),
        ("Mall 1", "Mall-1-94039beb"),
    ],
)
def test_a_site_id_is_a_valid_location_id(site_id: Any, expected: str) -> None:
    assert site_id_of(record(metadata={"site_id": site_id})) == expected


def test_different_names_never_become_one_id() -> None:
    names = ["a/b", "a b", "a-b", "ä", "ö", "..", ".", "x" * 36, "x" * 37, "x" * 38, "\ud800"]

    ids = [site_id_of(record(metadata={"site_id": name})) for name in names]

    assert len({one.lower() for one in ids}) == len(names)
    assert all(1 <= len(one) <= 36 and one.isascii() and "/" not in one for one in ids)


@pytest.mark.parametrize(
    ("cp_id", "uid", "evse_id"),
    [
        ("CP_7", "CP_7", "DE*ABC*ECP*7"),
        ("---", "---", None),
        ("c" * 64, "c" * 27 + "-52b6419d", "DE*ABC*E" + "C" * 21 + "*52B6419D"),
    ],
)
def test_any_registered_id_makes_valid_evse_ids(cp_id: str, uid: str, evse_id: str | None) -> None:
    evse = built(record(cp_id)).location["evses"][0]

    assert (evse["uid"], evse.get("evse_id")) == (uid, evse_id)
