"""Central's link to charge points with OCPP: over the store and a gateway to boxes on sockets."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from cpo_app.central.link.link import LinkRefused, LinkResult, LinkUnreachable
from cpo_app.central.link.links import Links
from cpo_app.central.link.ocpp_link import OcppLink
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.ocpp import energy_counter, ids, questions, stations, transactions
from domain.ocpp.questions import QUESTIONS
from domain.ocpp.transactions import TRANSACTIONS
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_records import SESSIONS
from domain.times import format_datetime
from tests.cpo_app.central.command_world import FakeLink
from tests.cpo_app.ocpp.conftest import World
from tests.peers.ocpp_wire import Refused

UID = "04AABBCCDD"
EXPIRY = datetime(2030, 5, 1, 12, 0, tzinfo=timezone.utc)
LIMIT = {
    "charging_rate_unit": "A",
    "charging_profile_period": [{"start_period": 0, "limit": 16.1}],
}


def asked(box: Any, action: str) -> list[Mapping[str, Any]]:
    """The payloads that it got of that action."""
    return [one.payload for one in box.asked if one.action == action]


async def running(world: World, session_id: str, transaction_id: int | str, cp_id: str) -> None:
    """A session whose transaction runs at the charge point's connector 1."""

    async def work(tx: Tx) -> None:
        transaction = transactions.new(
            tx,
            station=cp_id,
            transaction_id=transaction_id,
            cp_id=cp_id,
            evse=1,
            connector_id="1",
            counter=energy_counter.started(tx.now, 0.0),
            told_at=tx.now,
        )
        transaction["session_id"] = session_id
        await transactions.insert(tx, transaction)
        session: ChargingSession = {
            "_id": session_id,
            "cp_id": cp_id,
            "evse_uid": cp_id,
            "connector_id": "1",
            "token": {"uid": UID, "type": "RFID"},
        }
        await SESSIONS.of(tx).insert_one(session)

    await world.store.transact(work)


async def ended(world: World, session_id: str) -> None:
    await TRANSACTIONS.of(world.db).update_one(
        {"session_id": session_id}, {"$set": {"ended": True}}
    )


def test_a_start_is_sent_once_and_answered_alike(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            link = OcppLink(world.store)
            for _ in range(2):
                said = await link.start("CP-007", "c-1", session_id="s-1", id_tag=UID)
                assert said.accepted
            assert asked(box, "RemoteStartTransaction") == [{"connectorId": 1, "idTag": UID}]
            kept = await QUESTIONS.of(world.db).find_one({"_id": "c-1"})
            assert UID not in str(kept)

    world.run(story())


async def lost(box: Any, action: str, asking: Coroutine[Any, Any, Any]) -> None:
    """It gets the call, and goes away without an answer: nobody knows what it did."""
    box.answers[action] = None
    link = asyncio.ensure_future(asking)
    await box.next(action)
    await box.close()
    with pytest.raises(LinkUnreachable) as unreachable:
        await link
    assert unreachable.value.sent is None


def test_a_start_whose_answer_is_lost_is_answered_by_its_transaction(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        link = OcppLink(world.store)
        start = partial(link.start, "CP-007", "c-1", session_id="s-1", id_tag=UID)
        async with world.box16() as box:
            await box.boot()
            await lost(box, "RemoteStartTransaction", start())
            await box.connect()
            await box.heartbeat()
            with pytest.raises(LinkUnreachable) as unreachable:
                await start()
            assert unreachable.value.sent is None
            await running(world, "s-1", 77, "CP-007")
            assert (await start()).accepted
            assert len(asked(box, "RemoteStartTransaction")) == 1

    world.run(story())


def test_who_is_not_connected_is_not_asked(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        await world.gateway()
        with pytest.raises(LinkUnreachable) as unreachable:
            await OcppLink(world.store).unlock("CP-007", "c-1")
        assert unreachable.value.sent is False

    world.run(story())


def test_a_start_that_is_refused_ends_definitely(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            link = OcppLink(world.store)
            box.answers["RemoteStartTransaction"] = {"status": "Rejected"}
            said = await link.start("CP-007", "c-1", session_id="s-1", id_tag=UID)
            assert said.result is LinkResult.REJECTED
            box.answers["RemoteStartTransaction"] = Refused("InternalError", "relay stuck")
            said = await link.start("CP-007", "c-2", session_id="s-2", id_tag=UID)
            assert (said.result, said.message) == (
                LinkResult.REJECTED,
                "InternalError: relay stuck",
            )

    world.run(story())


def test_a_stop_is_of_the_session_s_transaction(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            link = OcppLink(world.store)
            said = await link.stop("CP-007", "c-1", session_id="s-1")
            assert said.result is LinkResult.UNKNOWN_SESSION
            await running(world, "s-1", 77, "CP-007")
            assert (await link.stop("CP-007", "c-2", session_id="s-1")).accepted
            assert asked(box, "RemoteStopTransaction") == [{"transactionId": 77}]
            await ended(world, "s-1")
            said = await link.stop("CP-007", "c-3", session_id="s-1")
            assert said.result is LinkResult.SESSION_ENDED
            assert len(asked(box, "RemoteStopTransaction")) == 1

    world.run(story())


def test_what_is_harmless_twice_is_asked_anew_where_its_answer_was_lost(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        link = OcppLink(world.store)
        stop = partial(link.stop, "CP-007", "c-1", session_id="s-1")
        async with world.box16() as box:
            await box.boot()
            await running(world, "s-1", 77, "CP-007")
            await lost(box, "RemoteStopTransaction", stop())
            box.answers["RemoteStopTransaction"] = {"status": "Accepted"}
            await box.connect()
            await box.heartbeat()
            assert (await stop()).accepted
            assert len(asked(box, "RemoteStopTransaction")) == 2

    world.run(story())


def test_a_start_that_is_refused_says_what_the_evse_s_status_says(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            await box.status("Faulted", error_code="GroundFailure")

            async def broken() -> bool:
                known = await charge_points.get(world.db, "CP-007")
                return known is not None and known.get("ocpi_status") == "OUTOFORDER"

            await world.until(broken)
            box.answers["RemoteStartTransaction"] = {"status": "Rejected"}
            link = OcppLink(world.store)
            said = await link.start("CP-007", "c-1", session_id="s-1", id_tag=UID)
            assert said.result is LinkResult.FAULT

    world.run(story())


def test_reservations_and_the_plug(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            link = OcppLink(world.store)
            number = ids.reservation_number("R-1")
            given: dict[str, Any] = {"reservation_id": "R-1", "id_tag": UID, "expiry": EXPIRY}
            assert (await link.reserve("CP-007", "c-1", **given)).accepted
            assert asked(box, "ReserveNow") == [
                {
                    "connectorId": 1,
                    "expiryDate": "2030-05-01T12:00:00Z",
                    "idTag": UID,
                    "reservationId": number,
                }
            ]
            box.answers["ReserveNow"] = {"status": "Occupied"}
            said = await link.reserve("CP-007", "c-2", **given)
            assert said.result is LinkResult.OCCUPIED
            assert (await link.cancel_reservation("CP-007", "c-3", reservation_id="R-1")).accepted
            assert asked(box, "CancelReservation") == [{"reservationId": number}]
            box.answers["CancelReservation"] = {"status": "Rejected"}
            said = await link.cancel_reservation("CP-007", "c-4", reservation_id="R-1")
            assert said.result is LinkResult.UNKNOWN_RESERVATION
            box.answers["UnlockConnector"] = {"status": "UnlockFailed"}
            assert (await link.unlock("CP-007", "c-5")).result is LinkResult.UNLOCK_FAILED
            assert (await link.set_operative("CP-007", "c-6", operative=False)).accepted
            assert asked(box, "ChangeAvailability")[-1] == {
                "connectorId": 1,
                "type": "Inoperative",
            }
            assert (await link.get_status("CP-007", "c-7")).accepted

    world.run(story())


def test_limits_over_1_6(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007", metadata={"power_rating": "22kW", "type": "AC"})
        async with world.box16() as box:
            await box.boot()
            await box.status("Available")
            await stations.update(world.db, "CP-007", {"rate_units": ["W"]})
            link = OcppLink(world.store)
            said = await link.set_limit("CP-007", "c-1", session_id="s-1", limit=LIMIT)
            assert said.result is LinkResult.UNKNOWN_SESSION
            await running(world, "s-1", 77, "CP-007")
            assert (await link.set_limit("CP-007", "c-2", session_id="s-1", limit=LIMIT)).accepted
            [told] = asked(box, "SetChargingProfile")
            profile = told["csChargingProfiles"]
            assert (profile["transactionId"], profile["chargingProfilePurpose"]) == (
                77,
                "TxProfile",
            )
            assert profile["chargingSchedule"] == {
                "chargingRateUnit": "W",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11109.0, "numberPhases": 3}],
            }
            box.answers["GetCompositeSchedule"] = {
                "status": "Accepted",
                "connectorId": 1,
                "scheduleStart": "2030-05-01T12:00:00Z",
                "chargingSchedule": profile["chargingSchedule"],
            }
            active = await link.active_profile("CP-007", session_id="s-1", duration_s=600)
            assert active is not None
            assert active["start_date_time"] == "2030-05-01T12:00:00Z"
            box.answers["GetCompositeSchedule"] = {"status": "Rejected"}
            with pytest.raises(LinkRefused):
                await link.active_profile("CP-007", session_id="s-1", duration_s=600)
            assert (await link.clear_limit("CP-007", "c-3", session_id="s-1")).accepted
            box.answers["ClearChargingProfile"] = {"status": "Unknown"}
            said = await link.clear_limit("CP-007", "c-4", session_id="s-1")
            assert (said.result, said.message) == (LinkResult.REJECTED, "NO_PROFILE")
            await ended(world, "s-1")
            gone = await link.active_profile("CP-007", session_id="s-1", duration_s=600)
            assert gone is None

    world.run(story())


def test_2_0_1_is_told_what_its_session_is_called(world: World) -> None:
    async def story() -> None:
        await world.add("CP-201")
        async with world.box201() as box:
            await box.boot()
            link = OcppLink(world.store)
            session_id = str(uuid.uuid4())
            assert (await link.start("CP-201", "c-1", session_id=session_id, id_tag=UID)).accepted
            assert asked(box, "RequestStartTransaction") == [
                {
                    "evseId": 1,
                    "idToken": {"idToken": UID, "type": "Central"},
                    "remoteStartId": ids.remote_start_id(session_id),
                }
            ]
            await running(world, session_id, "tx-9", "CP-201")
            assert (await link.stop("CP-201", "c-2", session_id=session_id)).accepted
            assert asked(box, "RequestStopTransaction") == [{"transactionId": "tx-9"}]
            said = await link.set_limit("CP-201", "c-3", session_id=session_id, limit=LIMIT)
            assert said.accepted
            [told] = asked(box, "SetChargingProfile")
            assert told["chargingProfile"]["transactionId"] == "tx-9"

    world.run(story())


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_of_a_long_profile_a_station_is_told_what_it_can_hold(world: World, version: str) -> None:
    cp_id = "CP-007" if version == "1.6" else "CP-201"

    async def story() -> None:
        await world.add(cp_id)
        async with world.box16() if version == "1.6" else world.box201() as box:
            await box.boot()
            await stations.update(world.db, cp_id, {"max_periods": 2})
            await running(world, "s-1", 77 if version == "1.6" else "tx-9", cp_id)
            begins = world.db.now().replace(microsecond=0)
            rows = [{"start_period": 3600 * n, "limit": 16.0 - n} for n in range(4)]
            limit = {**LIMIT, "charging_profile_period": rows}
            limit["start_date_time"] = format_datetime(begins)
            link = OcppLink(world.store)
            said = await link.set_limit(cp_id, "c-1", session_id="s-1", limit=limit)
            assert (said.accepted, said.until) == (True, begins + timedelta(hours=2))
            [told] = asked(box, "SetChargingProfile")
            profile = told.get("csChargingProfiles") or told["chargingProfile"]
            schedule = profile["chargingSchedule"]
            schedule = schedule if version == "1.6" else schedule[0]
            assert schedule["duration"] == 7200
            assert schedule["startSchedule"] == format_datetime(begins)
            told_rows = schedule["chargingSchedulePeriod"]
            assert [(row["startPeriod"], row["limit"]) for row in told_rows] == [
                (0, 16.0),
                (3600, 15.0),
            ]
            box.answers["SetChargingProfile"] = {"status": "Rejected"}
            said = await link.set_limit(cp_id, "c-2", session_id="s-1", limit=limit)
            assert (said.result, said.until) == (LinkResult.REJECTED, None)

    world.run(story())


def test_each_charge_point_is_reached_by_its_own_kind_of_link(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            http = FakeLink()
            links = Links(world.db, http=http, ocpp=OcppLink(world.store))
            calls: list[tuple[str, JsonObject]] = [
                ("start", {"session_id": "s-1", "id_tag": UID}),
                ("unlock", {}),
                ("reserve", {"reservation_id": "R-1", "id_tag": UID, "expiry": EXPIRY}),
                ("cancel_reservation", {"reservation_id": "R-1"}),
                ("set_operative", {"operative": True}),
                ("get_status", {}),
            ]
            for name, given in calls:
                said = await getattr(links, name)("CP-007", f"c-{name}", **given)
                assert said.accepted, name
            assert http.asked == 0
            await running(world, "s-2", 78, "CP-007")
            limits: list[tuple[str, JsonObject]] = [
                ("set_limit", {"limit": LIMIT}),
                ("clear_limit", {}),
                ("stop", {}),
            ]
            for name, given in limits:
                said = await getattr(links, name)("CP-007", f"c-{name}", session_id="s-2", **given)
                assert said.accepted, name
            assert http.asked == 0
            await links.start("CP-001", "c-9", session_id="s-9", id_tag=UID)
            assert http.kinds() == ["start"]

    world.run(story())


def test_a_box_that_is_taken_out_of_service_is_told_by_its_gateway(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            central = world.gateways[0].central

            async def online() -> bool:
                known = await charge_points.get(world.db, "CP-007")
                return known is not None and known["presence"] == "ONLINE"

            await world.until(online)
            await central.set_operative("CP-007", False)
            told = await box.next("ChangeAvailability")
            assert told.payload == {"connectorId": 1, "type": "Inoperative"}

    world.run(story())


def test_what_a_dead_gateway_has_taken_is_asked_anew(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            link = OcppLink(world.store, timeout_s=20.0)
            for command_id in ("c-start", "c-unlock"):
                taken: questions.Question = {
                    "_id": command_id,
                    "station": "CP-007",
                    "state": questions.State.TAKEN.value,
                    "connection": "of a process that was killed",
                }
                await QUESTIONS.of(world.db).insert_one(taken)
            assert (await link.unlock("CP-007", "c-unlock")).accepted
            # A start may have happened: its transaction will say so.
            with pytest.raises(LinkUnreachable) as unreachable:
                await link.start("CP-007", "c-start", session_id="s-1", id_tag=UID)
            assert unreachable.value.sent is None
            assert asked(box, "RemoteStartTransaction") == []

    world.run(story())


def test_each_evse_of_a_box_is_asked_by_its_own_number(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            for connector in (1, 2):
                await box.status("Available", connector)
            link = OcppLink(world.store)
            for cp_id in ("CP-007", "CP-007-2"):
                await link.start(cp_id, f"start {cp_id}", session_id=f"s {cp_id}", id_tag=UID)
                await link.set_operative(cp_id, f"out {cp_id}", operative=False)
            starts = asked(box, "RemoteStartTransaction")
            assert [one["connectorId"] for one in starts] == [1, 2]
            outs = [one for one in asked(box, "ChangeAvailability") if one["type"] == "Inoperative"]
            assert [one["connectorId"] for one in outs] == [1, 2]

    world.run(story())


def test_connectors_of_one_evse_are_asked_by_theirs(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007", one_evse=True)
        async with world.box16() as box:
            await box.boot()
            for connector in (1, 2):
                await box.status("Available", connector)
            link = OcppLink(world.store)
            await link.unlock("CP-007", "c-1", connector_id="2")
            await link.start("CP-007", "c-2", session_id="s-1", id_tag=UID, connector_id="2")
            assert asked(box, "UnlockConnector") == [{"connectorId": 2}]
            assert asked(box, "RemoteStartTransaction") == [{"connectorId": 2, "idTag": UID}]

    world.run(story())


def test_commands_that_come_together_are_one_question_of_who_speaks_what(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[int] = []
    read = stations.of_charge_points

    async def counted(db: Any, cp_ids: Any) -> Any:
        asked_for.append(len(cp_ids))
        return await read(db, cp_ids)

    monkeypatch.setattr(stations, "of_charge_points", counted)

    async def story() -> None:
        http = FakeLink()
        links = Links(world.db, http=http, ocpp=OcppLink(world.store))
        starts = (
            links.start(f"CP-{n:03}", f"c-{n}", session_id=f"s-{n}", id_tag=UID) for n in range(20)
        )
        await asyncio.gather(*starts)
        assert http.asked == 20

    world.run(story())
    assert asked_for == [20]


def test_where_a_charge_point_sits_is_looked_up_once_for_a_command(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []
    read = stations.of_charge_points

    async def counted(db: Any, cp_ids: Any) -> Any:
        looked_up.extend(cp_ids)
        return await read(db, cp_ids)

    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            monkeypatch.setattr(stations, "of_charge_points", counted)
            links = Links(world.db, http=FakeLink(), ocpp=OcppLink(world.store))
            assert (await links.unlock("CP-007", "c-1")).accepted
        assert looked_up == ["CP-007"]

    world.run(story())
