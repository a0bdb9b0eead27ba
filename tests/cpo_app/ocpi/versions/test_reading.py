"""What a peer of each version reads: its own form, valid by its own text, whatever is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from db_interface.json_data import JsonObject
from domain.rendered import Rendered
from domain.schemas import validate
from domain.versions import VERSIONS, Context, ObjectKind, OcpiVersion
from domain.views.filling import ViewFilling
from domain.views.making import view_of
from tests.cpo_app.ocpi.conftest import PeerSide
from tests.cpo_app.ocpi.versions.objects import SINCE, publish_all, publish_locations
from tests.domain.schemas.samples import connector, evse
from tests.peers.subjects import assert_refused, data_of

AT_ONCE = timedelta(0)
LISTS = {
    "locations": ObjectKind.LOCATION,
    "sessions": ObjectKind.SESSION,
    "cdrs": ObjectKind.CDR,
    "tariffs": ObjectKind.TARIFF,
}


def inner(peer: PeerSide, module: str) -> list[JsonObject]:
    objects = peer.face.store.objects(module)
    rows = peer.face.loop.run(objects.documents({}, sort=[("seq", 1)]))
    return [Rendered(row["raw"]).plain() for row in rows]


def rendered(peer: PeerSide, module: str) -> list[JsonObject]:
    """What the version makes of all that is there."""
    place = Context(location=next(iter(inner(peer, "locations")), None))
    return [peer.version.render(LISTS[module], each, place).object for each in inner(peer, module)]


@pytest.mark.parametrize("module", LISTS)
def test_lists_are_in_the_versions_form(peer: PeerSide, module: str) -> None:
    publish_all(peer.face)
    listed = data_of(peer.get(module, params={"date_from": SINCE}))
    assert listed == rendered(peer, module) != []
    for each in listed:
        assert validate(peer.version.models[LISTS[module]], each) == each


@pytest.mark.parametrize("module", LISTS)
def test_what_is_filled_in_later_is_what_was_made_before(peer: PeerSide, module: str) -> None:
    publish_all(peer.face)
    before = peer.get(module, params={"date_from": SINCE})
    view = view_of(peer.version)
    documents = peer.face.store.objects(module).of(peer.face.store.db)
    peer.face.loop.run(documents.update_many({}, {"$unset": {view.field: ""}}))
    made = peer.get(module, params={"date_from": SINCE})
    assert data_of(made) == data_of(before)
    job = ViewFilling(peer.face.store, begins_after=AT_ONCE)
    peer.face.loop.run(job.round())
    assert data_of(peer.get(module, params={"date_from": SINCE})) == data_of(before)


def test_one_location_and_its_parts_are_in_the_versions_form(peer: PeerSide) -> None:
    publish_all(peer.face)
    (location,) = rendered(peer, "locations")
    (evse,) = location["evses"]
    (connector,) = evse["connectors"]
    assert data_of(peer.get("locations/loc1")) == location
    assert data_of(peer.get("locations/LOC1/evse-1")) == evse
    assert data_of(peer.get("locations/LOC1/Evse-1/1")) == connector
    assert validate(peer.version.models[ObjectKind.EVSE], evse) == evse
    assert validate(peer.version.models[ObjectKind.CONNECTOR], connector) == connector


def test_what_2_3_0_added_is_shown_to_those_who_have_words_for_it(peer: PeerSide) -> None:
    connectors = [
        connector(id="1", standard="SAE_J3400", capabilities=["ISO_15118_2_PLUG_AND_CHARGE"]),
        connector(id="2", standard="MCS"),
    ]
    publish_locations(
        peer.face,
        1,
        help_phone="+49 30 1",
        evses=[evse(connectors=connectors, accepted_service_providers=["Example eMSP"])],
    )
    (location,) = rendered(peer, "locations")
    (shown,) = location["evses"]
    assert data_of(peer.get("locations")) == [location]
    assert data_of(peer.get("locations/LOC0")) == location
    assert data_of(peer.get("locations/LOC0/Evse-1")) == shown
    nameable = [each["id"] for each in shown["connectors"]]
    assert nameable == (["1", "2"] if peer.version is VERSIONS["2.3.0"] else ["1"])
    if "2" not in nameable:
        assert_refused(peer.get("locations/LOC0/Evse-1/2"), 2003, 404)


def test_a_crawl_stays_in_its_version_and_misses_nothing(peer: PeerSide) -> None:
    publish_locations(peer.face, 7)
    url: str | None = peer.face.module("locations?limit=3", peer.version)
    seen: list[str] = []
    while url is not None:
        page = peer.get(url)
        assert page.headers["x-total-count"] == "7"
        seen += [row["id"] for row in data_of(page)]
        url = page.links.get("next", {}).get("url")
        assert url is None or f"/cpo/{peer.version.number}/locations" in url
    assert seen == [f"LOC{n}" for n in range(7)]


def test_what_is_not_there_is_told_in_the_versions_codes(peer: PeerSide) -> None:
    assert_refused(peer.get("locations/NOPE"), 2003, 404)
    assert_refused(peer.get("nothing"), 2000, 404)
    code = peer.version.description.status_code(2004)
    assert_refused(peer.get("tokens/DE/TNM/NOPE"), code, 404)
    assert_refused(peer.get("sessions"), 2001)


def test_modules_that_the_version_lacks_are_not_there(peer: PeerSide) -> None:
    has = {row.identifier for row in peer.version.description.modules}
    for module in ("chargingprofiles/S1", "hubclientinfo/DE/TNM"):
        known = module.partition("/")[0] in has
        assert (peer.get(module).json().get("status_message", "") != NOTHING) is known
    preferences = peer.version.has(ObjectKind.CHARGING_PREFERENCES)
    answer = peer.put("sessions/NOPE/charging_preferences", json={"profile_type": "CHEAP"})
    assert (answer.json()["status_message"] != NOTHING) is preferences
    cancel = peer.version.has(ObjectKind.CANCEL_RESERVATION)
    answer = peer.post("commands/CANCEL_RESERVATION", json={})
    assert (answer.status_code == 200) is cancel


NOTHING = "There is nothing under this path"


def test_a_peer_is_shown_what_it_may_tell_its_drivers_of(peer: PeerSide) -> None:
    """A version without `publish` could not say that a location is not to be shown."""
    publish_locations(peer.face, 1, publish=False)
    only_published = peer.version.description.shows_only_published
    page = peer.get("locations")
    assert page.headers["x-total-count"] == ("0" if only_published else "1")
    assert len(data_of(page)) == (0 if only_published else 1)
    assert (peer.get("locations/LOC0").status_code == 404) is only_published


def test_sessions_and_cdrs_are_the_token_holders_alone(peer: PeerSide) -> None:
    publish_all(peer.face)
    side = peer.face.connected("NL*OTH", version=peer.version.number)
    other = PeerSide(peer.face, side.peer_id, side.token, peer.version)
    for module in ("sessions", "cdrs"):
        page = other.get(module, params={"date_from": SINCE})
        assert (data_of(page), page.headers["x-total-count"]) == ([], "0")


def _is_routed(answer: httpx.Response) -> bool:
    return any(name.startswith("ocpi-") for name in answer.headers)


def test_routing_headers_are_the_versions_who_have_them(peer: PeerSide) -> None:
    publish_all(peer.face)
    routed = peer.version.description.has_message_routing
    ours = {"OCPI-to-country-code": "DE", "OCPI-to-party-id": "CPO"}
    nobody = {"OCPI-to-country-code": "XX", "OCPI-to-party-id": "NOP"}
    assert _is_routed(peer.get("locations", headers=ours)) is routed
    refused = peer.get("locations", headers=nobody)
    assert (refused.status_code == 404) is routed


def test_every_version_says_what_it_has(peer: PeerSide, version: OcpiVersion) -> None:
    rows: list[dict[str, Any]] = data_of(peer.get(f"{peer.face.ocpi}/versions"))
    urls = {row["version"]: row["url"] for row in rows}
    details = data_of(peer.get(urls[version.number]))
    assert validate(version.models[ObjectKind.VERSION_DETAILS], details) == details
    assert details["version"] == version.number
    offered = [(row["identifier"], row.get("role")) for row in details["endpoints"]]
    with_roles = version.description.endpoints_have_roles
    assert offered == [
        (row.identifier, row.role if with_roles else None) for row in version.description.modules
    ]
    for row in details["endpoints"]:
        assert row["url"].startswith(f"{peer.face.ocpi}/cpo/{version.number}/")
