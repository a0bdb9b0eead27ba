"""Peers of each OCPI version are pushed to in their own: bodies, URLs, headers, removals."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cpo_app.ocpi.push.lane import Lane
from cpo_app.ocpi.push.sending import PeerChannel
from db_interface.owned_objects import OwnedObject, party_key
from domain.objects.cdrs import owned_cdr
from domain.objects.tariffs import owned_tariff
from domain.outbox import due_marks
from domain.peers.version_moves import Moved, VersionMoves
from domain.schemas import CDR, Session, Tariff, parse_datetime, validate
from domain.versions import VERSIONS, Context, ObjectKind, OcpiVersion
from tests.cpo_app.ocpi.conftest import shown
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.receiving_emsp import Receiver
from tests.domain.schemas.samples import cdr, connector, evse, location, tariff

AT = "2026-03-01T12:00:00Z"
LATER = "2026-03-01T13:00:00Z"
OWNER = {"country_code": "DE", "party_id": "CPO"}


@pytest.fixture(params=list(VERSIONS))
def version(request: pytest.FixtureRequest) -> OcpiVersion:
    return VERSIONS[request.param]


def place(**fields: Any) -> dict[str, Any]:
    evses = [evse(connectors=[connector(tariff_ids=["12"])])]
    return location(**{**OWNER, "postal_code": "9000", "evses": evses, **fields})


def session(**fields: Any) -> OwnedObject:
    said = {
        **OWNER,
        "id": "S1",
        "start_date_time": AT,
        "kwh": 1.5,
        "cdr_token": cdr()["cdr_token"],
        "auth_method": "COMMAND",
        "location_id": "LOC1",
        "evse_uid": "Evse-1",
        "connector_id": "1",
        "currency": "EUR",
        "total_cost": {"excl_vat": 4.0, "incl_vat": 4.84},
        "status": "ACTIVE",
        "last_updated": AT,
        **fields,
    }
    audience = party_key("DE", "TNM")
    moment = parse_datetime(said["last_updated"])
    return OwnedObject("DE", "CPO", ("S1",), validate(Session, said), moment, audience)


def bill() -> dict[str, Any]:
    return validate(CDR, cdr(**OWNER, id="C1", session_id="S1", tariffs=[tariff(**OWNER)]))


def peer(house: House, version: OcpiVersion) -> tuple[Receiver, str]:
    receiver = house.emsp()
    return receiver, house.connect(receiver, "DE*TNM", version=version.number)


def valid(version: OcpiVersion, kind: ObjectKind, found: Any) -> None:
    assert validate(version.models[kind], found) == found


def test_everything_goes_out_in_the_peers_version(house: House, version: OcpiVersion) -> None:
    receiver, peer_id = peer(house, version)
    house.locations(place())
    house.publish("tariffs", owned_tariff(validate(Tariff, tariff(**OWNER))))
    house.publish("sessions", session())
    house.publish("cdrs", owned_cdr(bill()))
    house.push()
    house.until_nothing_is_left()

    for module, kind, object_id in (
        ("locations", ObjectKind.LOCATION, "LOC1"),
        ("tariffs", ObjectKind.TARIFF, "12"),
        ("sessions", ObjectKind.SESSION, "S1"),
        ("cdrs", ObjectKind.CDR, "C1"),
    ):
        held = receiver.held(module)
        assert list(held) == [object_id]
        valid(version, kind, held[object_id])
    context = Context(location=place())
    assert receiver.held("cdrs")["C1"] == version.render(ObjectKind.CDR, bill(), context).object
    for got in receiver.got:
        assert got.headers["authorization"] == shown(house.tokens[peer_id], version)
        has_routing = "ocpi-from-party-id" in got.headers
        assert has_routing is version.description.has_message_routing
    urls = {got.path for got in receiver.of("PUT")}
    assert urls == {"/locations/DE/CPO/LOC1", "/tariffs/DE/CPO/12", "/sessions/DE/CPO/S1"}


def test_a_change_of_a_part_goes_out_as_that_part(house: House, version: OcpiVersion) -> None:
    receiver, _ = peer(house, version)
    house.locations(place())
    house.publish("sessions", session())
    house.push()
    house.until_nothing_is_left()
    charging = [evse(connectors=[connector(tariff_ids=["12"])], status="CHARGING")]
    house.locations(place(evses=charging))
    house.publish("sessions", session(kwh=2.5, last_updated=LATER))
    house.until_nothing_is_left()

    patched = {got.path: got.json() for got in receiver.of("PATCH")}
    assert patched["/locations/DE/CPO/LOC1/Evse-1"]["status"] == "CHARGING"
    assert patched["/sessions/DE/CPO/S1"]["kwh"] == 2.5
    valid(version, ObjectKind.LOCATION, receiver.held("locations")["LOC1"])
    valid(version, ObjectKind.SESSION, receiver.held("sessions")["S1"])


def test_what_is_taken_away_goes_in_its_version_too(house: House, version: OcpiVersion) -> None:
    receiver, _ = peer(house, version)
    house.locations(place())
    house.publish("tariffs", owned_tariff(validate(Tariff, tariff(**OWNER))))
    house.push()
    house.until_nothing_is_left()
    house.locations(place(publish=False))
    house.withdraw("tariffs", "de/cpo/12")
    house.until_nothing_is_left()

    assert receiver.held("tariffs") == {}
    held = receiver.held("locations")["LOC1"]
    valid(version, ObjectKind.LOCATION, held)
    statuses = {evse["status"] for evse in held["evses"]}
    # Where a Location cannot say that it is not to be published, it is taken away.
    hides = version.description.shows_only_published
    assert (statuses == {"REMOVED"}) is hides
    assert ("publish" in held) is not hides


def test_what_a_version_cannot_say_is_not_sent_in_it(house: House) -> None:
    oldest = next(iter(VERSIONS.values()))
    receiver, peer_id = peer(house, oldest)
    odd = tariff(**OWNER)
    odd["elements"][0]["restrictions"] = {"min_current": 10}
    house.publish("tariffs", owned_tariff(validate(Tariff, odd)))
    house.push()
    house.until_nothing_is_left()
    assert [got for got in receiver.got if got.method == "PUT"] == []
    assert house.held_back(peer_id) == []


def test_a_cdr_whose_answer_was_lost_is_looked_for_under_its_id_there(house: House) -> None:
    """In the oldest version ids of CDRs are shorter than ours may be."""
    oldest = next(iter(VERSIONS.values()))
    receiver, _ = peer(house, oldest)
    receiver.fault = lambda got: (
        "after hang" if got.method == "POST" and not receiver.of("POST") else None
    )
    long_id = "C" * 39
    house.publish("cdrs", owned_cdr({**bill(), "id": long_id}))
    house.push()
    house.until(lambda: receiver.cdrs and not house.marks())
    ((there, bodies),) = receiver.cdrs.items()
    assert len(there) == 36
    assert there != long_id
    assert len(bodies) == 1, "it was found, and not sent again"


def test_a_peer_that_moves_between_reading_and_sending_gets_the_new_form(
    house: House, version: OcpiVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, peer_id = peer(house, version)
    *_, newest = VERSIONS.values()
    read, look = due_marks.present, Lane._look_at_peer
    reading, moved = asyncio.Event(), asyncio.Event()

    async def move_then(*given: Any) -> Any:
        reading.set()
        found = await read(*given)
        await house.peers.set(peer_id, house.peers.now(), version=newest.number)
        moved.set()
        return found

    async def look_when_it_has_moved(lane: Lane) -> Any:
        """The peer is looked at while its objects are read: here it comes later."""
        if reading.is_set():
            await moved.wait()
        return await look(lane)

    monkeypatch.setattr(due_marks, "present", move_then)
    monkeypatch.setattr(Lane, "_look_at_peer", look_when_it_has_moved)
    house.locations(place())
    house.push()
    house.until_nothing_is_left()
    (sent,) = receiver.of("PUT")
    valid(newest, ObjectKind.LOCATION, sent.json())
    assert ("publish" in sent.json()) is not newest.description.shows_only_published


@pytest.mark.parametrize("at_the_old_address", ["401", "404", "reset"])
def test_what_is_on_its_way_when_the_peer_moves_goes_to_where_it_is(
    house: House,
    version: OcpiVersion,
    at_the_old_address: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It moves when it has been looked at and its objects have been read: no pause, no error."""
    old, peer_id = peer(house, version)
    old.fault = lambda _: at_the_old_address
    new, newest = house.emsp(), [*VERSIONS.values()][-1]
    ask = PeerChannel.ask

    async def moves_then(channel: PeerChannel, *given: Any, **named: Any) -> Any:
        if not old.got:
            await house.peers.connect(
                peer_id,
                our_token=None,
                their_token="new" * 10,
                now=house.peers.now(),
                version=newest.number,
                endpoints=new.endpoints(),
            )
        return await ask(channel, *given, **named)

    monkeypatch.setattr(PeerChannel, "ask", moves_then)
    house.locations(place())
    house.publish("cdrs", owned_cdr(bill()))
    house.push()
    house.until_nothing_is_left()

    assert 1 <= len(old.got) <= 2, "what was out together"
    valid(newest, ObjectKind.LOCATION, new.held("locations")["LOC1"])
    assert [len(bodies) for bodies in new.cdrs.values()] == [1]
    assert house.loop.run(house.peers.get(peer_id)).last_error is None
    assert "pauses" not in caplog.text


def test_a_peer_that_has_moved_gets_what_was_marked_in_its_new_version(
    house: House, version: OcpiVersion
) -> None:
    receiver, peer_id = peer(house, version)
    house.locations(place())
    *_, newest = VERSIONS.values()
    house.loop.run(house.peers.set(peer_id, house.peers.now(), version=newest.number))
    house.push()
    house.until_nothing_is_left()
    valid(newest, ObjectKind.LOCATION, receiver.held("locations")["LOC1"])


@pytest.mark.parametrize("number", VERSIONS)
def test_whoever_moves_has_what_its_new_version_can_say_and_nothing_else(
    house: House, version: OcpiVersion, number: str
) -> None:
    """Up to a version that can say more, it is sent that; down, what cannot be said is taken away,
    though no view has been made in that version yet."""
    receiver, peer_id = peer(house, version)
    odd = tariff(**OWNER)
    odd["elements"][0]["restrictions"] = {"min_current": 10}
    house.publish("tariffs", owned_tariff(validate(Tariff, odd)))
    house.locations(place(publish=False), place(id="LOC2"))
    house.push()
    house.until_nothing_is_left()
    sent_before = len(receiver.got)

    moved_to(house, peer_id, VERSIONS[number])
    house.until_nothing_is_left()
    terse = VERSIONS[number].description.shows_only_published
    assert list(receiver.held("tariffs")) == ([] if terse else ["12"])
    offered = [
        location["id"]
        for location in receiver.held("locations").values()
        if any(evse["status"] != "REMOVED" for evse in location["evses"])
    ]
    assert sorted(offered) == (["LOC2"] if terse else ["LOC1", "LOC2"])
    if terse is version.description.shows_only_published:
        assert len(receiver.got) == sent_before, "nothing that it can see or not has changed"


def moved_to(house: House, peer_id: str, version: OcpiVersion) -> list[Moved]:
    """As its PUT of credentials in that version does."""
    its = house.tokens[peer_id]
    house.loop.run(
        house.peers.connect(
            peer_id,
            our_token=None,
            their_token=its,
            now=house.peers.now(),
            version=version.number,
        )
    )
    return house.loop.run(VersionMoves(house.store).round())
