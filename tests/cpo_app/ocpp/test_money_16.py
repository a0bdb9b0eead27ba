"""Sessions over OCPP 1.6: the cases of docs/ocpp.md, each walked on a real store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from cpo_app.central.sweepers.session_sweeper import VANISHED
from db_interface.database import Database
from domain.ocpp import stations
from domain.ocpp.ids import id_tag
from domain.ocpp.transactions import TRANSACTIONS, of_session
from domain.sessions.session_doubts import fell_silent
from tests.conftest import Loop
from tests.cpo_app.ocpp.charging_world import CARD, ChargingWorld, Story, documented, wh
from tests.domain.authorization.test_authorization import info, token
from tests.domain.ocpp.test_meter_values import OCMF_BEGIN, OCMF_END

CASES: dict[str, Story] = {}


def case(name: str) -> Callable[[Story], Story]:
    def keep(story: Story) -> Story:
        CASES[name] = story
        return story

    return keep


@case("a card starts and stops")
async def _plain(world: ChargingWorld) -> None:
    await world.knows(group_id="FLEET")
    answer = await world.start(1000)
    assert answer["idTagInfo"] == {"status": "Accepted", "parentIdTag": "FLEET"}
    world.passes(30)
    await world.meter(answer["transactionId"], wh(6), wh(6000))
    assert (await world.session())["status"] == "ACTIVE"
    world.passes(30)
    await world.stop(answer["transactionId"], 11_000, reason="EVDisconnected")

    session = await world.session()
    assert (session["status"], session["end_reason"]) == ("COMPLETED", "EVDisconnected")
    assert (session["register_start_wh"], session["register_end_wh"]) == (1000, 11_000)
    assert await world.billed_kwh() == [10]


@case("the eMSP is asked once for Authorize and the start, and its reference is billed")
async def _asked_once(world: ChargingWorld) -> None:
    await world.knows(whitelist="NEVER")
    world.emsps.answers["peer-tnm"] = info(of=token("CARD"), authorization_reference="REF-1")
    told = await world.say("Authorize", {"idTag": "card"})
    assert told["idTagInfo"]["status"] == "Accepted"
    await world.start(0)

    session = await world.session()
    assert len(world.emsps.asked) == 1
    assert (session["auth_method"], session["authorization_reference"]) == ("AUTH_REQUEST", "REF-1")
    assert session["peer_id"] == "peer-tnm"

    await world.say("Authorize", {"idTag": "CARD"})
    assert len(world.emsps.asked) == 2, "the next session is authorized anew"


@case("a start by command is the session that the command has opened")
async def _commanded(world: ChargingWorld) -> None:
    uid = "a-uid-that-is-longer-than-an-idTag"
    session_id = await world.commanded(uid)
    tag = id_tag(uid)
    told = await world.say("Authorize", {"idTag": tag})
    assert told["idTagInfo"]["status"] == "Accepted"
    answer = await world.start(0, idTag=tag.lower())
    assert answer["idTagInfo"]["status"] == "Accepted"
    world.passes(60)
    await world.stop(answer["transactionId"], 5000)

    session = await world.session()
    assert (session["_id"], session["status"]) == (session_id, "COMPLETED")
    assert session["authorization_reference"] == "REF"
    known = await of_session(world.db, session_id)
    assert known is not None
    assert (known["transaction_id"], known["ended"]) == (answer["transactionId"], True)
    assert not world.emsps.asked


@case("a start by command that comes after we gave up waiting goes on all the same")
async def _late_commanded(world: ChargingWorld) -> None:
    session_id = await world.commanded("APP")
    world.passes(10)
    await world.store.transact(lambda tx: fell_silent(tx, session_id, VANISHED))
    await world.start(0, idTag="APP")

    session = await world.session()
    assert (session["_id"], session["status"], session["running"]) == (session_id, "ACTIVE", True)


@case("a card that has reserved the EVSE: its reservation's session goes on")
async def _reserved(world: ChargingWorld) -> None:
    await world.knows()
    session_id = await world.reserves(CARD)
    answer = await world.start(0)
    world.passes(60)
    await world.stop(answer["transactionId"], 5000)

    session = await world.session()
    assert (session["_id"], session["status"]) == (session_id, "COMPLETED")
    assert session["authorization_reference"] == "RESERVED-1"
    assert await world.reservation_status() == "USED"


@case("a card at an EVSE that another has reserved: billed, and the charge point is told to stop")
async def _reserved_by_another(world: ChargingWorld) -> None:
    await world.knows()
    await world.knows("HOLDER")
    await world.reserves("HOLDER")
    answer = await world.start(0)
    assert answer["idTagInfo"]["status"] == "Invalid"
    world.passes(1)
    await world.stop(answer["transactionId"], 100)

    assert await world.billed_kwh() == [0.1]
    assert await world.reservation_status() == "ACTIVE"


@case("a card that may not charge, of a token that is known: held")
async def _refused(world: ChargingWorld) -> None:
    await world.knows(whitelist="NEVER")
    world.emsps.answers["peer-tnm"] = info("BLOCKED")
    answer = await world.start(0)
    assert answer["idTagInfo"]["status"] == "Blocked"
    world.passes(60)
    await world.stop(answer["transactionId"], 5000)

    session = await world.session()
    assert session["held"]["why"] == "its card may not charge: BLOCKED"
    assert (session["status"], session["energy_wh"]) == ("COMPLETED", 5000)
    assert await world.cdrs() == []


@case("a card that nobody knows: kept, an alarm, billed to nobody")
async def _unknown(world: ChargingWorld) -> None:
    answer = await world.start(0, idTag="STRANGER")
    assert answer["idTagInfo"]["status"] == "Invalid"
    world.passes(60)
    await world.meter(answer["transactionId"], wh(4000))
    await world.stop(answer["transactionId"], 5000)

    assert await world.sessions() == []
    letters = await world.letters()
    kept = [(one.kind, one.energy_wh, one.refused) for one in letters]
    assert ("session_stopped", 5000, False) in kept
    (transaction,) = await world.transactions()
    assert (transaction["nobodys"], transaction["ended"]) == (True, True)
    alarm = await world.db["unaccounted_energy"].find_one({"_id": "CP-007"})
    assert alarm["energy_wh"] == 4000


@case("it began offline: billed if the whitelist allows it unasked")
async def _offline(world: ChargingWorld) -> None:
    await world.knows(whitelist="ALLOWED_OFFLINE")
    began = world.at()
    world.passes(60)
    ended = world.at()
    world.passes(60)
    await world.connect()
    answer = await world.start(1000, timestamp=began)
    await world.stop(answer["transactionId"], 9000, timestamp=ended)

    session = await world.session()
    assert not world.emsps.asked
    assert session["auth_method"] == "WHITELIST"
    assert session["ended"] - session["started"] == timedelta(hours=1)
    assert await world.billed_kwh() == [8]


@case("it began offline, and CPO_OCPP_OFFLINE_ALLOWED is off: held")
async def _offline_off(world: ChargingWorld) -> None:
    world.made = world.made.copy(update={"CPO_OCPP_OFFLINE_ALLOWED": False})
    await world.knows()
    began = world.at()
    world.passes(60)
    await world.connect()
    answer = await world.start(1000, timestamp=began)
    assert answer["idTagInfo"]["status"] == "Accepted"
    await world.stop(answer["transactionId"], 9000)

    session = await world.session()
    assert session["held"]["why"].startswith("it began while its charge point was offline")
    assert (session["energy_wh"], await world.cdrs()) == (8000, [])


@case("it began offline with a token whose eMSP wants to be asked: held")
async def _offline_never(world: ChargingWorld) -> None:
    await world.knows(whitelist="NEVER")
    began = world.at()
    world.passes(60)
    await world.connect()
    answer = await world.start(1000, timestamp=began)
    await world.stop(answer["transactionId"], 9000)

    assert answer["idTagInfo"]["status"] == "Invalid"
    assert (await world.session())["held"]["why"] == "its card may not charge: NOT_ALLOWED"
    assert await world.cdrs() == []


@case("a message that comes again is answered alike and counts once")
async def _twice(world: ChargingWorld) -> None:
    await world.knows()
    began = world.at()
    first = await world.start(1000, timestamp=began)
    world.passes(1)
    assert await world.start(1000, timestamp=began) == first
    world.passes(59)
    ended = world.at()
    for _ in range(2):
        await world.meter(first["transactionId"], wh(6000), when=ended)
    for _ in range(3):
        await world.stop(first["transactionId"], 6000, timestamp=ended)
        world.passes(1)
    assert await world.start(1000, timestamp=began) == first

    assert len(await world.sessions()) == 1
    assert await world.billed_kwh() == [5]


@case("the same start at two gateways at once is one session")
async def _at_once(world: ChargingWorld) -> None:
    await world.knows()
    began = world.at()
    answers = await asyncio.gather(
        *(world.start(1000, timestamp=began) for _ in range(3)), return_exceptions=True
    )
    again = await world.start(1000, timestamp=began)

    # Who came too late is asked to say it again.
    assert all(one == again for one in answers if isinstance(one, dict))
    assert len(await world.sessions()) == len(await world.transactions()) == 1


@case("its connector is numbered otherwise than registered: the EVSE's first is billed")
async def _numbered_otherwise(world: ChargingWorld) -> None:
    await world.knows()
    await world.store.transact(lambda tx: stations.update(tx, "CP-007", {"one_evse": True}))
    await world.connect()
    answer = await world.start(0, connectorId=2)
    world.passes(30)
    values = [{"timestamp": world.at(), "sampledValue": [wh(3000)]}]
    await world.say("MeterValues", {"connectorId": 2, "meterValue": values})
    assert (await world.session())["energy_wh"] == 3000
    await world.stop(answer["transactionId"], 4000)

    assert (await world.session())["connector_id"] == "1"
    assert await world.billed_kwh() == [4]


@case("the connection was lost in the middle: the session goes on at the next")
async def _reconnected(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(0)
    world.passes(30)
    await world.connect()
    await world.meter(answer["transactionId"], wh(3000))
    world.passes(30)
    await world.connect()
    await world.stop(answer["transactionId"], 6000)

    assert await world.billed_kwh() == [6]


@case("nothing was heard for hours: suspect, and its end is billed when it comes")
async def _silent(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(0)
    world.passes(30)
    session_id = (await world.session())["_id"]
    await world.store.transact(lambda tx: fell_silent(tx, session_id, VANISHED))
    world.passes(300)
    await world.stop(answer["transactionId"], 6000)

    assert await world.billed_kwh() == [6]


@case("a stop without a start: kept and shown, billed to nobody")
async def _stop_alone(world: ChargingWorld) -> None:
    await world.knows()
    begin = {"timestamp": world.at(3600), "sampledValue": [wh(2000, context="Transaction.Begin")]}
    for _ in range(2):
        answer = await world.stop(4711, 9000, idTag="CARD", transactionData=[begin])
    assert answer == {"idTagInfo": {"status": "Accepted"}}

    (letter,) = await world.letters()
    assert (letter.kind, letter.energy_wh, letter.refused) == ("session_stopped", 7000, False)
    assert letter.reason == "its start is not known"
    assert await world.sessions() == []
    (transaction,) = await world.transactions()
    assert (transaction["transaction_id"], transaction["nobodys"]) == (4711, True)


@case("a stop that comes again with more energy: its bill stands, and the rest is shown")
async def _stopped_again(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(0)
    world.passes(60)
    await world.stop(answer["transactionId"], 5000)
    world.passes(10)
    await world.stop(answer["transactionId"], 5500)

    assert await world.billed_kwh() == [5]
    assert (await world.session())["unbilled"]["energy_wh"] == 500


@case("another start at the connector: what ran before is suspect, and ends by its own stop")
async def _left_behind(world: ChargingWorld) -> None:
    await world.knows()
    await world.knows("OTHER")
    first = await world.start(0)
    world.passes(60)
    second = await world.start(5000, idTag="OTHER")
    assert second["transactionId"] != first["transactionId"]
    world.passes(60)
    await world.meter(None, wh(8000))
    await world.stop(second["transactionId"], 9000)
    await world.stop(first["transactionId"], 5000, timestamp=world.at(3600))

    before, after = await world.sessions()
    assert (before["energy_wh"], after["energy_wh"]) == (5000, 4000)
    assert sorted(await world.billed_kwh()) == [4, 5]


@case("meter values come after the stop, or out of order")
async def _out_of_order(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(0)
    began = world.clock.at
    world.passes(60)
    await world.meter(answer["transactionId"], wh(4000), when=world.at(600))
    await world.meter(answer["transactionId"], wh(2000), when=world.at(1800))
    await world.stop(answer["transactionId"], 5000)
    await world.meter(answer["transactionId"], wh(4500), when=world.at(300))

    session = await world.session()
    assert session["ended"] - began == timedelta(hours=1)
    assert "unbilled" not in session
    assert await world.billed_kwh() == [5]


@case("its clock is ahead: times are moved to ours")
async def _ahead(world: ChargingWorld) -> None:
    await world.knows()
    began = world.clock.at
    answer = await world.start(0, timestamp=world.at(-7200))
    world.passes(60)
    await world.meter(answer["transactionId"], wh(3000), when=world.at(-7200))
    await world.stop(answer["transactionId"], 5000, timestamp=world.at(-7200))

    session = await world.session()
    assert (session["started"], session["ended"]) == (began, world.clock.at)
    assert session.get("held") is None
    assert await world.billed_kwh() == [5]


@case("its clock is behind: the session in which that is found is held, later times are moved")
async def _behind(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(0, timestamp=world.at(7200))
    for minute in range(1, 4):
        world.passes(1)
        await world.meter(answer["transactionId"], wh(minute * 100), when=world.at(7200))
    ended = world.clock.at
    await world.stop(answer["transactionId"], 400, timestamp=world.at(7200))
    first = await world.session()
    assert first["ended"] == ended
    assert first["held"]["why"] == "its charge point's clock was found wrong after it had begun"
    world.passes(10)
    began = world.clock.at
    answer = await world.start(400, timestamp=world.at(7200))
    world.passes(60)
    await world.stop(answer["transactionId"], 5400, timestamp=world.at(7200))

    later = (await world.sessions())[-1]
    assert (later["started"], later["ended"]) == (began, world.clock.at)
    assert await world.billed_kwh() == [5]


@case("its clock is ahead, and is set right in the middle: held, later times are believed again")
async def _set_right(world: ChargingWorld) -> None:
    await world.knows()
    began = world.clock.at
    answer = await world.start(0, timestamp=world.at(-7200))
    for minute in range(1, 4):
        world.passes(1)
        await world.meter(answer["transactionId"], wh(minute * 100))
    world.passes(60)
    await world.stop(answer["transactionId"], 5000)

    session = await world.session()
    assert (session["started"], session["ended"]) == (began, world.clock.at)
    assert session["held"]["why"] == "it is dated before the session was opened"
    assert await world.cdrs() == []


@case("its clock was never set: held, dated when it came")
async def _never_set(world: ChargingWorld) -> None:
    await world.knows()
    began = world.clock.at
    answer = await world.start(0, timestamp="1970-01-01T00:00:10Z")
    world.passes(60)
    await world.stop(answer["transactionId"], 5000, timestamp="1970-01-01T01:00:10Z")

    session = await world.session()
    assert session["held"]["why"] == "its charge point's clock was never set"
    assert (session["started"], session["ended"]) == (began, world.clock.at)
    assert await world.cdrs() == []


@case("a clock that was never set makes no two sessions one")
async def _never_set_again(world: ChargingWorld) -> None:
    await world.knows()
    for energy in (0, 5000):
        answer = await world.start(0, timestamp="1970-01-01T00:00:10Z")
        world.passes(60)
        await world.stop(answer["transactionId"], energy, timestamp="1970-01-01T01:00:10Z")

    assert [one["energy_wh"] for one in await world.sessions()] == [0, 5000]


@case("the register rolls over: counted through")
async def _rollover(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(99_998_000)
    world.passes(30)
    await world.meter(answer["transactionId"], wh(99_999_500))
    world.passes(30)
    await world.stop(answer["transactionId"], 3000)

    session = await world.session()
    assert session.get("held") is None
    assert session["register_end_wh"] == 3000
    assert await world.billed_kwh() == [5]


@case("the register was set back in the middle: what was counted before is kept")
async def _reset(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(50_000)
    world.passes(30)
    await world.meter(answer["transactionId"], wh(53_000))
    world.passes(30)
    await world.stop(answer["transactionId"], 2000)

    session = await world.session()
    assert session.get("held") is None
    assert (session["energy_wh"], session["register_end_wh"]) == (5000, 2000)
    assert await world.billed_kwh() == [5]


@case("the register jumps where nothing explains it: held, nothing is guessed")
async def _jump(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(90_000)
    world.passes(30)
    await world.meter(answer["transactionId"], wh(93_000))
    world.passes(30)
    await world.stop(answer["transactionId"], 60_000)

    session = await world.session()
    assert session["held"]["why"] == (
        "its register went from 93000 to 60000 Wh, which nothing explains"
    )
    assert session["energy_wh"] == 3000
    assert await world.cdrs() == []


@case("more energy than the connector can give: held")
async def _too_much(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(0)
    world.passes(10)
    await world.stop(answer["transactionId"], 50_000)

    assert "more than its connector can give" in (await world.session())["held"]["why"]
    assert await world.cdrs() == []


@case("clock-aligned values are no session data")
async def _clock_aligned(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(0)
    world.passes(10)
    await world.meter(answer["transactionId"], wh(900_000, context="Sample.Clock"))
    assert (await world.session())["energy_wh"] == 0
    world.passes(50)
    await world.stop(answer["transactionId"], 5000)

    assert await world.billed_kwh() == [5]


@case("only intervals are told: added up, and the register at the end decides")
async def _intervals(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(1000)
    interval = {"value": "1.5", "measurand": "Energy.Active.Import.Interval", "unit": "kWh"}
    for _ in range(2):
        world.passes(15)
        await world.meter(answer["transactionId"], interval)
        await world.meter(answer["transactionId"], interval)
    assert (await world.session())["energy_wh"] == 3000
    world.passes(1)
    await world.stop(answer["transactionId"], 4001)

    assert await world.billed_kwh() == [3.001]


@case("intervals tell of energy and the register stands still: held")
async def _intervals_only(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(0)
    world.passes(15)
    await world.meter(
        answer["transactionId"], {"value": "500", "measurand": "Energy.Active.Import.Interval"}
    )
    world.passes(1)
    await world.stop(answer["transactionId"], 0)

    session = await world.session()
    assert session["held"]["why"] == "its register did not move, though 500 Wh were told"
    assert await world.cdrs() == []


@case("meter values without a transactionId are the running transaction's")
async def _without_id(world: ChargingWorld) -> None:
    await world.knows()
    await world.start(1000)
    world.passes(30)
    await world.meter(None, wh(4000))
    assert (await world.session())["energy_wh"] == 3000
    await world.say(
        "MeterValues",
        {"connectorId": 0, "meterValue": [{"timestamp": world.at(), "sampledValue": [wh(1)]}]},
    )
    assert (await world.session())["energy_wh"] == 3000


@case("meter values of a transaction that is not known: an alarm, nothing is billed")
async def _unknown_id(world: ChargingWorld) -> None:
    await world.knows()
    await world.start(1000)
    world.passes(30)
    power = {"value": "11", "measurand": "Power.Active.Import", "unit": "kW"}
    await world.meter(4711, wh(400_000), power)

    assert (await world.session())["energy_wh"] == 0
    alarm = await world.db["unaccounted_energy"].find_one({"_id": "CP-007"})
    assert (alarm["session_id"], alarm["power_w"]) == ("OCPP-4711", 11_000)


@case("the car draws nothing: told by status alone, it is parking time")
async def _parking(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(0)
    world.passes(30)
    await world.meter(answer["transactionId"], wh(5000))
    status = {"connectorId": 1, "errorCode": "NoError", "status": "SuspendedEV"}
    await world.say("StatusNotification", {**status, "timestamp": world.at()})
    world.passes(30)
    await world.stop(answer["transactionId"], 5000)

    (cdr,) = await world.cdrs()
    charging, parking = cdr["charging_periods"]
    assert {one["type"] for one in charging["dimensions"]} >= {"ENERGY", "TIME"}
    assert parking["dimensions"] == [{"type": "PARKING_TIME", "volume": 0.5}]


@case("signed meter values of begin and end are the bill's signed data")
async def _signed(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(0)
    world.passes(60)
    signed = [
        {"value": text, "context": context, "format": "SignedData"}
        for text, context in ((OCMF_BEGIN, "Transaction.Begin"), (OCMF_END, "Transaction.End"))
    ]
    data = [{"timestamp": world.at(), "sampledValue": signed}]
    await world.stop(answer["transactionId"], 5000, transactionData=data)

    (cdr,) = await world.cdrs()
    values = cdr["signed_data"]["signed_values"]
    assert [(one["nature"], one["signed_data"]) for one in values] == [
        ("Start", OCMF_BEGIN),
        ("End", OCMF_END),
    ]


@case("taking the stop breaks off: it is kept as a dead letter, and answered")
async def _broken(world: ChargingWorld) -> None:
    await world.knows()
    answer = await world.start(0)
    world.passes(60)
    await TRANSACTIONS.of(world.db).update_one(
        {"transaction_id": answer["transactionId"]}, {"$set": {"signed": [{"nature": "End"}]}}
    )
    await world.stop(answer["transactionId"], 5000)

    (letter,) = await world.letters()
    assert (letter.kind, letter.energy_wh, letter.refused) == ("session_stopped", 5000, False)
    assert letter.reason.startswith("KeyError")


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, db: Database, loop: Loop) -> None:
    world = ChargingWorld(db, loop)
    world.run(CASES[name](world))


def test_the_documented_cases_are_these() -> None:
    assert sorted(documented("1.6")) == sorted(CASES)
