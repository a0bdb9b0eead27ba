"""A card at the reader of a charge point, through Central's HTTP face: start, stop or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cpo_app.central.authorization import CardReaders
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.authorization.authorization import Authorizer
from domain.authorization.emsps import Reply
from domain.charge_points.charge_point_events import Missed, OperativeSet
from domain.objects.tokens import owned_token
from domain.reservations import reservations
from domain.reservations.reservation_sessions import ReservationSessions
from domain.reservations.reservations import Reservation
from domain.sessions import charging_sessions
from domain.sessions.session_rules import Rules
from tests.counting import growth_of
from tests.cpo_app.central.conftest import Api, World, state
from tests.domain.authorization.test_authorization import FakeEmsps, info, token
from tests.settings_of import settings_of


class Reader:
    """The charge point CP-001 with its card reader, at a Central that knows some tokens."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.emsps = FakeEmsps()
        self.token = world.enrol("CP-001")
        self.api = self.another_worker()
        assert self.api.register(self.token).status_code == 200
        self.seq = 0

    def another_worker(self) -> Api:
        authorizer = Authorizer(self.world.store, self.emsps, timeout_s=5)
        party = settings_of().parties[0]
        readers = CardReaders(self.world.store, party, Rules(), authorizer)
        return self.world.api(self.world.central(authorize=readers.swiped))

    def body(self, uid: str, token_type: str = "RFID") -> dict[str, Any]:
        return {
            "cp_id": "cp-001",
            "connector_id": "1",
            "token_uid": uid,
            "token_type": token_type,
        }

    def swipe(self, uid: str = "CARD", token_type: str = "RFID") -> dict[str, Any]:
        answer = self.api.post("/cp/authorize", self.token, self.body(uid, token_type))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def know(self, *tokens: dict[str, Any]) -> None:
        for one in tokens:
            self.world.loop.run(self.world.store.create("tokens", owned_token(one)))

    def report(self, value: str, session_id: str | None = None, **more: Any) -> None:
        self.seq += 1
        named = {} if session_id is None else {"session_id": session_id}
        told = self.api.telemetry(self.token, state(self.seq, value, **named, **more))  # type: ignore[arg-type]
        assert told.status_code == 200

    def sessions(self) -> list[dict[str, Any]]:
        async def work() -> list[dict[str, Any]]:
            return await self.world.db["charging_sessions"].find({}).to_list(None)

        return self.world.loop.run(work())

    def shown(self, session_id: str) -> dict[str, Any]:
        """The OCPI Session, as peers get it."""
        found = self.world.loop.run(self.world.store.get("sessions", f"de/cpo/{session_id}"))
        assert found is not None
        return found

    def in_transaction(self, work: Callable[[Tx], Any]) -> Any:
        return self.world.loop.run(DbInterface(self.world.db).transact(work))

    def reserve(self, holder: dict[str, Any], *, ago_s: float = 0) -> str:
        key = "R-0123456789"
        reservation: Reservation = {
            "_id": key,
            "peer_id": "peer-tnm",
            "reservation_id": "R1",
            "owner": "de*cpo",
            "cp_id": "CP-001",
            "connector_id": "1",
            "location_id": "SITE-1",
            "evse_uid": "CP-001",
            "token": holder,
            "authorization_reference": "RESERVED-1",
            "expiry_date": self.world.clock.now() + timedelta(hours=1),
            "command_id": "command",
            "answer_to": {},
        }
        party = self.api.central.party
        self.world.clock.advance(-ago_s)
        self.in_transaction(
            lambda tx: reservations.hold(tx, party, reservation, ReservationSessions())
        )
        self.world.clock.advance(ago_s)
        return key


@pytest.fixture
def reader(world: World) -> Reader:
    return Reader(world)


def always(uid: str = "CARD", **changed: Any) -> dict[str, Any]:
    return token(uid, whitelist="ALWAYS", **changed)


def test_a_car_is_let_in_by_its_contract_as_its_emsps_version_calls_that(reader: Reader) -> None:
    reader.know(always("DETNMC12345678X", type="OTHER"))
    started = reader.swipe("DETNMC12345678X", "EMAID")
    assert started["action"] == "start"
    reader.report("CHARGING", started["session_id"], plugged=True)
    assert reader.swipe("DETNMC12345678X", "EMAID")["action"] == "stop"


def test_a_type_of_token_that_there_is_not_is_refused(reader: Reader) -> None:
    answer = reader.api.post("/cp/authorize", reader.token, reader.body("CARD", "EMIAD"))
    assert answer.status_code == 400
    assert "token_type" in answer.text


def test_a_whitelisted_card_starts_a_session(reader: Reader) -> None:
    reader.know(always())
    answer = reader.swipe("card")
    assert {**answer, "session_id": ""} == {
        "allowed": "ALLOWED",
        "action": "start",
        "session_id": "",
    }
    shown = reader.shown(answer["session_id"])
    assert (shown["status"], shown["auth_method"]) == ("PENDING", "WHITELIST")
    assert shown["cdr_token"]["uid"] == "CARD"
    assert (shown["location_id"], shown["evse_uid"], shown["connector_id"]) == (
        "SITE-1",
        "CP-001",
        "1",
    )
    (session,) = reader.sessions()
    assert (session["source"], session["peer_id"], session["running"]) == (
        "local",
        "peer-tnm",
        True,
    )


def test_the_emsps_word_goes_into_the_session_and_to_the_driver(reader: Reader) -> None:
    reader.emsps.answers["peer-tnm"] = info(
        of=token("CARD", group_id="family"),
        authorization_reference="REF-7",
        info={"language": "en", "text": "Good journey"},
    )
    answer = reader.swipe()
    assert (answer["action"], answer["info"]) == ("start", "Good journey")
    shown = reader.shown(answer["session_id"])
    assert (shown["auth_method"], shown["authorization_reference"]) == ("AUTH_REQUEST", "REF-7")
    assert reader.sessions()[0]["token"]["group_id"] == "family"
    ((_, question),) = reader.emsps.asked
    assert question.body() == {"location_id": "SITE-1", "evse_uids": ["CP-001"]}


def test_a_refusal_opens_nothing_and_is_passed_on(reader: Reader) -> None:
    reader.know(token("CARD"))
    reader.emsps.answers["peer-tnm"] = info(
        "NO_CREDIT", of=token("CARD"), info={"language": "en", "text": "Top up"}
    )
    assert reader.swipe() == {"allowed": "NO_CREDIT", "action": "none", "info": "Top up"}
    assert reader.swipe("NOBODYS")["action"] == "none"
    assert reader.sessions() == []


def test_the_second_swipe_stops_the_session(reader: Reader) -> None:
    reader.know(always())
    session_id = reader.swipe()["session_id"]
    reader.report("CHARGING", session_id, plugged=True)
    reader.know(always(valid=False))
    assert reader.swipe("card") == {
        "allowed": "ALLOWED",
        "action": "stop",
        "session_id": session_id,
    }
    assert reader.swipe("card", "APP_USER")["action"] == "none"


def test_a_start_whose_answer_was_lost_is_the_same_start_again(reader: Reader) -> None:
    reader.know(always())
    first = reader.swipe()
    assert reader.swipe() == first
    reader.report("PREPARING", first["session_id"])
    assert reader.swipe()["action"] == "stop"
    assert len(reader.sessions()) == 1


def test_a_card_of_the_group_stops_the_session_another_card_does_not(reader: Reader) -> None:
    reader.know(
        always(group_id="family"),
        always("FOB", group_id="FAMILY"),
        always("BLOCKED", group_id="family", valid=False),
        always("STRANGER"),
    )
    session_id = reader.swipe()["session_id"]
    assert reader.swipe("FOB") == {
        "allowed": "ALLOWED",
        "action": "stop",
        "session_id": session_id,
    }
    for uid in ("STRANGER", "BLOCKED", "NOBODYS"):
        assert reader.swipe(uid) == {
            "allowed": "NOT_ALLOWED",
            "action": "none",
            "info": "The charge point is in use",
        }


def test_of_two_swipes_at_two_workers_one_opens_the_session(reader: Reader) -> None:
    reader.know(always(), always("OTHER"))
    apis = [reader.api, reader.another_worker()]

    async def swipe(api: Api, uid: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {reader.token}"}
        answer = await api.http.post("/cp/authorize", headers=headers, json=reader.body(uid))
        return answer.json()

    async def race() -> list[dict[str, Any]]:
        swipes = [swipe(apis[n % 2], uid) for n, uid in enumerate(("CARD", "CARD", "OTHER") * 2)]
        return list(await asyncio.gather(*swipes))

    answers = reader.world.loop.run(race())
    (session,) = reader.sessions()
    started = [one for one in answers if one["action"] == "start"]
    assert {one["session_id"] for one in started} == {session["_id"]}
    winners = {"CARD": 4, "OTHER": 2}
    assert len(started) == winners[session["token"]["uid"]]


def test_out_of_service_or_broken_it_starts_nothing(reader: Reader) -> None:
    reader.know(always())
    reader.world.loop.run(reader.api.central.apply("CP-001", OperativeSet(False)))
    assert reader.swipe() == {
        "allowed": "NOT_ALLOWED",
        "action": "none",
        "info": "The charge point is out of service",
    }
    reader.world.loop.run(reader.api.central.apply("CP-001", OperativeSet(True)))
    reader.api.beat(reader.token, "EMERGENCY_STOP")
    assert reader.swipe()["info"] == "The charge point has a fault"
    reader.world.clock.advance(60)
    due = reader.world.document()["heartbeat_due"]
    reader.world.loop.run(reader.api.central.apply("CP-001", Missed(due)))
    assert reader.swipe()["info"] == "The charge point is not being supervised"
    assert reader.sessions() == []
    reader.api.beat(reader.token)
    assert reader.swipe()["action"] == "start"


def test_a_plugged_in_car_is_no_hindrance(reader: Reader) -> None:
    reader.know(always())
    reader.report("PREPARING", plugged=True)
    assert reader.swipe()["action"] == "start"


def test_a_charge_point_without_a_location_starts_nothing(reader: Reader) -> None:
    reader.know(always())

    async def hold_back() -> None:
        await reader.world.db["locations"].delete_many({})

    reader.world.loop.run(hold_back())
    assert reader.swipe()["info"] == "The charge point has no location yet"


def test_reserved_it_starts_for_the_reserving_card_alone(reader: Reader) -> None:
    reader.know(always("STRANGER"), token("CARD"))
    key = reader.reserve(token("CARD"))
    (reserved,) = reader.sessions()
    assert reserved["status"] == "RESERVATION"
    assert reader.swipe("STRANGER") == {
        "allowed": "NOT_ALLOWED",
        "action": "none",
        "info": "The charge point is reserved for another driver",
    }
    answer = reader.swipe()
    assert answer == {
        "allowed": "ALLOWED",
        "action": "start",
        "session_id": reserved["_id"],
        "reservation_id": key,
    }
    assert reader.emsps.asked == []
    shown = reader.shown(answer["session_id"])
    assert (shown["auth_method"], shown["authorization_reference"]) == ("COMMAND", "RESERVED-1")
    used = reader.world.loop.run(reservations.get(reader.world.db, key))
    assert used is not None and used["status"] == "USED"
    assert reader.swipe() == answer, "the answer was lost"


def test_a_quarter_of_an_hour_after_its_reservation_the_card_is_asked_for_again(
    reader: Reader,
) -> None:
    reader.know(token("CARD"))
    reader.reserve(token("CARD"), ago_s=16 * 60)
    reader.emsps.answers["peer-tnm"] = info("BLOCKED", of=token("CARD"))
    assert reader.swipe()["allowed"] == "BLOCKED"
    reader.emsps.answers["peer-tnm"] = info(of=token("CARD"))
    assert reader.swipe()["action"] == "start"


def test_reserved_for_a_group_a_card_of_it_starts_others_do_not(reader: Reader) -> None:
    reader.emsps.parties["peer-abc"] = "AA*ABC"
    reader.know(
        always("FOB", group_id="family"),
        always("LONER"),
        always("FOREIGN", party="AA*ABC", group_id="family"),
    )
    key = reader.reserve(token("CARD", group_id="family"))
    for uid in ("LONER", "FOREIGN", "NOBODYS"):
        assert reader.swipe(uid)["action"] == "none", uid
    assert reader.swipe("FOB")["reservation_id"] == key


def test_no_peers_answer_starts_a_session_for_another_party(reader: Reader) -> None:
    """Two peers: whatever one says of the other's card, only the other is ever charged."""
    reader.emsps.parties["peer-abc"] = "AA*ABC"
    reader.emsps.answers = {
        "peer-tnm": Reply(unknown=True),
        "peer-abc": info(of=token("CARD", party="DE*TNM")),
    }
    assert reader.swipe()["action"] == "none"
    assert reader.sessions() == []
    # The no to that card holds for a while: another one.
    reader.emsps.answers["peer-abc"] = info(of=token("OTHER", party="AA*ABC"))
    session_id = reader.swipe("OTHER")["session_id"]
    document = reader.world.loop.run(
        reader.world.store.objects("sessions").document(f"de/cpo/{session_id}")
    )
    assert document is not None and document["audience"] == "aa*abc"


def test_without_its_token_a_charge_point_is_told_nothing(reader: Reader) -> None:
    reader.know(always())
    body = reader.body("CARD")
    assert reader.api.post("/cp/authorize", None, body).status_code == 401
    other = reader.world.enrol("CP-002")
    assert reader.api.post("/cp/authorize", other, body).status_code == 403
    assert reader.sessions() == []


def test_the_running_session_is_found_again_by_another_worker(reader: Reader) -> None:
    reader.know(always())
    session_id = reader.swipe()["session_id"]
    reader.report("CHARGING", session_id, plugged=True)
    reader.api = reader.another_worker()
    assert reader.swipe()["action"] == "stop"
    running = reader.world.loop.run(charging_sessions.running_session(reader.world.db, "CP-001"))
    assert running is not None and running["_id"] == session_id


def test_decisions_are_counted(reader: Reader) -> None:
    name = "cpo_authorizations_total"
    let_in = growth_of(name, result="ALLOWED", by="whitelist")
    spoken = growth_of(name, result="NO_CREDIT", by="emsp")
    unknown = growth_of(name, result="UNKNOWN", by="whitelist")
    reader.know(always(), token("POOR"))
    reader.swipe("NOBODYS")
    reader.emsps.answers["peer-tnm"] = info("NO_CREDIT", of=token("POOR"))
    reader.swipe("POOR")
    reader.swipe()
    assert (let_in(), spoken(), unknown()) == (1, 1, 1)
