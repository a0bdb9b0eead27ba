"""Sessions over OCPP 2.0.1: the cases of docs/ocpp-sessions.md, each walked on a real store."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from db_interface.database import Database
from domain.ocpp.ids import remote_start_id
from domain.ocpp.transactions import TRANSACTIONS, of_session
from tests.conftest import Loop
from tests.cpo_app.ocpp.charging_world import CARD, ChargingWorld, Story, documented
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
    answer = await world.event("Started", 0, 1000, card=CARD)
    assert answer["idTokenInfo"] == {
        "status": "Accepted",
        "groupIdToken": {"idToken": "FLEET", "type": "Central"},
    }
    world.passes(30)
    await world.event("Updated", 1, 6000, info={"chargingState": "Charging"})
    assert await world.state() == "CHARGING"
    assert (await world.session())["status"] == "ACTIVE"
    world.passes(30)
    ended = {"stoppedReason": "EVDisconnected"}
    await world.event("Ended", 2, 11_000, info=ended, card=CARD)

    session = await world.session()
    assert (session["status"], session["end_reason"]) == ("COMPLETED", "EVDisconnected")
    assert (session["register_start_wh"], session["register_end_wh"]) == (1000, 11_000)
    assert await world.billed_kwh() == [10]
    assert await world.state() == "BLOCKED"


@case("the eMSP is asked once for Authorize and the start, and its reference is billed")
async def _asked_once(world: ChargingWorld) -> None:
    await world.knows(whitelist="NEVER")
    world.emsps.answers["peer-tnm"] = info(of=token(CARD), authorization_reference="REF-1")
    told = await world.say("Authorize", {"idToken": {"idToken": CARD, "type": "ISO14443"}})
    assert told["idTokenInfo"]["status"] == "Accepted"
    await world.event("Started", 0, 0, card=CARD)

    session = await world.session()
    assert len(world.emsps.asked) == 1
    assert (session["auth_method"], session["authorization_reference"]) == ("AUTH_REQUEST", "REF-1")


@case("a start by command is the session that the command has opened")
async def _commanded(world: ChargingWorld) -> None:
    session_id = await world.commanded("APP")
    started = {"remoteStartId": remote_start_id(session_id)}
    await world.event("Started", 0, 0, info=started)
    world.passes(60)
    await world.event("Ended", 1, 5000)

    session = await world.session()
    assert (session["_id"], session["status"]) == (session_id, "COMPLETED")
    known = await of_session(world.db, session_id)
    assert known is not None
    assert (known["transaction_id"], known["ended"]) == ("T-1", True)
    assert await world.billed_kwh() == [5]


@case("it starts with the cable, and a card or a command comes later: the session begins then")
async def _cable_first(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Started", 0, 1000, triggerReason="CablePluggedIn")
    assert await world.sessions() == []
    world.passes(10)
    began = world.clock.at
    answer = await world.event("Updated", 1, card=CARD)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    world.passes(60)
    await world.event("Ended", 2, 6000)

    assert (await world.session())["started"] == began
    assert await world.billed_kwh() == [5]


@case("energy flows before the card is shown: it is kept, and not billed to the card")
async def _flowed_before(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Started", 0, 1000)
    world.passes(10)
    await world.event("Updated", 1, 3000)
    world.passes(10)
    await world.event("Updated", 2, 4000, card=CARD)
    world.passes(60)
    await world.event("Ended", 3, 9000)

    (letter,) = await world.letters()
    assert (letter.energy_wh, letter.reason) == (3000, "it flowed before a card was shown")
    assert (await world.session())["register_start_wh"] == 4000
    assert await world.billed_kwh() == [5]


@case("a card that nobody knows, then one that is known: billed to that from then on")
async def _second_card(world: ChargingWorld) -> None:
    await world.knows()
    told = await world.event("Started", 0, 1000, card="STRANGER")
    assert told["idTokenInfo"]["status"] == "Invalid"
    world.passes(10)
    told = await world.event("Updated", 1, 1000, card=CARD)
    assert told["idTokenInfo"]["status"] == "Accepted"
    world.passes(60)
    await world.event("Ended", 2, 6000)

    assert (await world.session())["token"]["uid"] == CARD
    assert await world.billed_kwh() == [5]
    (transaction,) = await world.transactions()
    assert not transaction["nobodys"]


@case("it ends without any card: kept where energy has flowed")
async def _no_card(world: ChargingWorld) -> None:
    await world.event("Started", 0, 1000)
    await world.event("Ended", 1, 1000)
    assert await world.letters() == []
    again = {"transactionId": "T-2"}
    await world.event("Started", 0, 1000, info=again)
    world.passes(60)
    await world.event("Ended", 1, 6000, info=again)

    (letter,) = await world.letters()
    assert (letter.energy_wh, letter.reason) == (5000, "no token was told with it")
    assert await world.sessions() == []


@case("a card that may not charge, of a token that is known: held")
async def _refused(world: ChargingWorld) -> None:
    await world.knows(valid=False)
    answer = await world.event("Started", 0, 0, card=CARD)
    assert answer["idTokenInfo"]["status"] == "Blocked"
    world.passes(60)
    await world.event("Ended", 1, 5000)

    assert (await world.session())["held"]["why"] == "its card may not charge: BLOCKED"
    assert await world.cdrs() == []


@case("a card that nobody knows: kept, an alarm, billed to nobody")
async def _unknown(world: ChargingWorld) -> None:
    answer = await world.event("Started", 0, 0, card="STRANGER")
    assert answer["idTokenInfo"]["status"] == "Invalid"
    world.passes(60)
    await world.event("Updated", 1, 4000)
    await world.event("Ended", 2, 5000)

    assert await world.sessions() == []
    kept = [(one.kind, one.energy_wh, one.refused) for one in await world.letters()]
    assert ("session_stopped", 5000, False) in kept
    assert await world.db["unaccounted_energy"].find_one({"_id": "CP-007", "energy_wh": 4000})


@case("it began offline: billed if the whitelist allows it unasked")
async def _offline(world: ChargingWorld) -> None:
    await world.knows(whitelist="ALLOWED_OFFLINE")
    began = world.at()
    world.passes(60)
    ended = world.at()
    world.passes(60)
    await world.event("Started", 0, 1000, when=began, card=CARD, offline=True)
    await world.event("Ended", 1, 9000, when=ended, offline=True)

    session = await world.session()
    assert not world.emsps.asked
    assert session["ended"] - session["started"] == timedelta(hours=1)
    assert await world.billed_kwh() == [8]


@case("a message that comes again is answered alike and counts once")
async def _twice(world: ChargingWorld) -> None:
    await world.knows()
    began = world.at()
    first = await world.event("Started", 0, 1000, card=CARD, when=began)
    world.passes(1)
    assert await world.event("Started", 0, 1000, card=CARD, when=began) == first
    world.passes(59)
    ended = world.at()
    for _ in range(3):
        await world.event("Ended", 1, 6000, when=ended)
        world.passes(1)
    assert await world.event("Started", 0, 1000, card=CARD, when=began) == first

    assert len(await world.sessions()) == 1
    assert await world.billed_kwh() == [5]


@case("the connection was lost in the middle: the session goes on at the next")
async def _reconnected(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Started", 0, 0, card=CARD)
    world.passes(30)
    await world.connect()
    await world.event("Updated", 1, 3000)
    world.passes(30)
    await world.connect()
    await world.event("Ended", 2, 6000)

    assert await world.billed_kwh() == [6]


@case("the end comes before the start: kept, and billed when the start comes")
async def _end_first(world: ChargingWorld) -> None:
    await world.knows()
    began = world.at()
    world.passes(60)
    ended = world.at()
    await world.event("Ended", 2, 6000, when=ended)
    (letter,) = await world.letters()
    assert letter.reason == "its start is not known"
    world.passes(1)
    await world.event("Updated", 1, 4000, when=world.at(1800))
    assert await world.sessions() == []
    await world.event("Started", 0, 1000, when=began, card=CARD)

    session = await world.session()
    assert session["ended"] - session["started"] == timedelta(hours=1)
    assert await world.billed_kwh() == [5]
    assert await world.letters() == []


@case("an event that names the card comes before the start: the start is taken in behind it")
async def _card_first(world: ChargingWorld) -> None:
    await world.knows()
    began = world.at()
    world.passes(10)
    await world.event("Updated", 1, 2000, card=CARD)
    await world.event("Started", 0, 1500, when=began)
    world.passes(50)
    await world.event("Ended", 2, 6500)

    assert len(await world.sessions()) == 1
    assert await world.billed_kwh() == [5]


@case("the card and the end come, the start never does: held")
async def _never_started(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Updated", 1, 2000, card=CARD)
    world.passes(50)
    await world.event("Ended", 2, 6500)

    session = await world.session()
    assert session["held"]["why"] == "its start is not known"
    assert await world.cdrs() == []
    await world.event("Updated", 1, 2000, card=CARD, info={"transactionId": "T-2"})
    assert len(await world.sessions()) == 2, "its connector is free for the next"


@case("meter values come after the stop, or out of order")
async def _out_of_order(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Started", 0, 0, card=CARD)
    world.passes(60)
    await world.event("Updated", 2, 4000, when=world.at(600))
    await world.event("Updated", 1, 2000, when=world.at(1800))
    await world.event("Ended", 4, 5000)
    await world.event("Updated", 3, 4500, when=world.at(300))

    assert "unbilled" not in await world.session()
    assert await world.billed_kwh() == [5]
    (transaction,) = await world.transactions()
    assert transaction["seen"] == [[0, 4]]


@case("a transactionId is given away anew: another session")
async def _reused(world: ChargingWorld) -> None:
    await world.knows()
    for register in (0, 5000):
        await world.event("Started", 0, register, card=CARD)
        world.passes(30)
        await world.event("Ended", 1, register + 5000)
        world.passes(1)

    assert await world.billed_kwh() == [5, 5]
    assert [one["number"] for one in await world.transactions()] == [1, 0]


@case("a transactionId is given away anew while the one before was not heard to end")
async def _reused_running(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Started", 0, 0, card=CARD)
    world.passes(30)
    await world.event("Updated", 1, 3000)
    world.passes(30)
    await world.event("Started", 0, 4000, card=CARD)
    world.passes(30)
    await world.event("Ended", 1, 7000)

    before, after = await world.sessions()
    assert (before["status"], before["energy_wh"]) == ("ACTIVE", 3000)
    assert before["suspect"]["why"] == "another session began at its connector"
    assert (after["status"], after["energy_wh"]) == ("COMPLETED", 3000)
    assert await world.billed_kwh() == [3]


@case("it counts its events anew in the middle: none is lost")
async def _recounted(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Started", 0, 0, card=CARD)
    world.passes(10)
    await world.event("Updated", 1, 1000)
    world.passes(10)
    await world.event("Updated", 0, 2000)
    assert (await world.session())["energy_wh"] == 2000
    world.passes(10)
    await world.event("Ended", 1, 3000)

    assert await world.billed_kwh() == [3]


@case("its clock is ahead: times are moved to ours")
async def _ahead(world: ChargingWorld) -> None:
    await world.knows()
    began = world.clock.at
    await world.event("Started", 0, 0, card=CARD, when=world.at(-7200))
    world.passes(60)
    await world.event("Ended", 1, 5000, when=world.at(-7200))

    session = await world.session()
    assert (session["started"], session["ended"]) == (began, world.clock.at)
    assert await world.billed_kwh() == [5]


@case("its clock is behind: the session in which that is found is held, later times are moved")
async def _behind(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Started", 0, 0, card=CARD, when=world.at(7200))
    for number in range(1, 4):
        world.passes(1)
        await world.event("Updated", number, number * 100, when=world.at(7200))
    await world.event("Ended", 4, 400, when=world.at(7200))
    first = await world.session()
    assert first["ended"] == world.clock.at
    assert first["held"]["why"] == "its charge point's clock was found wrong after it had begun"
    world.passes(10)
    began = world.clock.at
    second = {"transactionId": "T-2"}
    await world.event("Started", 0, 400, card=CARD, when=world.at(7200), info=second)
    world.passes(60)
    await world.event("Ended", 1, 5400, when=world.at(7200), info=second)

    later = (await world.sessions())[-1]
    assert (later["started"], later["ended"]) == (began, world.clock.at)
    assert await world.billed_kwh() == [5]


@case("the register rolls over: counted through")
async def _rollover(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Started", 0, 99_998_000, card=CARD)
    world.passes(30)
    await world.event("Updated", 1, 99_999_500)
    world.passes(30)
    await world.event("Ended", 2, 3000)

    assert await world.billed_kwh() == [5]


@case("the register was set back in the middle: what was counted before is kept")
async def _reset(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Started", 0, 50_000, card=CARD)
    world.passes(30)
    await world.event("Updated", 1, 53_000)
    world.passes(30)
    await world.event("Ended", 2, 2000)

    assert await world.billed_kwh() == [5]


@case("the register jumps where nothing explains it: held, nothing is guessed")
async def _jump(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Started", 0, 90_000, card=CARD)
    world.passes(30)
    await world.event("Updated", 1, 93_000)
    world.passes(30)
    await world.event("Ended", 2, 60_000)

    assert "which nothing explains" in (await world.session())["held"]["why"]
    assert await world.cdrs() == []


@case("clock-aligned values are no session data")
async def _clock_aligned(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Started", 0, 0, card=CARD)
    world.passes(10)
    values = [
        {
            "timestamp": world.at(),
            "sampledValue": [{"value": 900_000, "context": "Sample.Clock"}],
        }
    ]
    await world.event("Updated", 1, triggerReason="MeterValueClock", meterValue=values)
    await world.say("MeterValues", {"evseId": 1, "meterValue": values})
    assert (await world.session())["energy_wh"] == 0
    world.passes(50)
    await world.event("Ended", 2, 5000)

    assert await world.billed_kwh() == [5]


@case("only intervals are told: added up")
async def _intervals(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Started", 0, card=CARD)
    for number in (2, 1, 3):
        world.passes(15)
        values = [
            {
                "timestamp": world.at(),
                "sampledValue": [
                    {
                        "value": 15,
                        "measurand": "Energy.Active.Import.Interval",
                        "unitOfMeasure": {"unit": "Wh", "multiplier": 2},
                    }
                ],
            }
        ]
        kind = "Ended" if number == 3 else "Updated"
        await world.event(kind, number, meterValue=values)

    assert await world.billed_kwh() == [4.5]


@case("the car draws nothing: told by status alone, it is parking time")
async def _parking(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Started", 0, 0, card=CARD, info={"chargingState": "Charging"})
    world.passes(30)
    await world.event("Updated", 1, 5000, info={"chargingState": "Charging"})
    await world.event("Updated", 2, info={"chargingState": "SuspendedEV"})
    world.passes(30)
    await world.event("Ended", 3, 5000, info={"chargingState": "EVConnected"})

    (cdr,) = await world.cdrs()
    charging, parking = cdr["charging_periods"]
    assert {one["type"] for one in charging["dimensions"]} >= {"ENERGY", "TIME"}
    assert parking["dimensions"] == [{"type": "PARKING_TIME", "volume": 0.5}]


@case("signed meter values of begin and end are the bill's signed data")
async def _signed(world: ChargingWorld) -> None:
    def signed(text: str, register_wh: float) -> list[dict[str, Any]]:
        data = base64.b64encode(text.encode()).decode()
        named = {"signingMethod": "", "encodingMethod": "OCMF", "publicKey": ""}
        sampled = {"value": register_wh, "signedMeterValue": {"signedMeterData": data, **named}}
        return [{"timestamp": world.at(), "sampledValue": [sampled]}]

    await world.knows()
    await world.event("Started", 0, card=CARD, meterValue=signed(OCMF_BEGIN, 0))
    world.passes(60)
    await world.event("Ended", 1, meterValue=signed(OCMF_END, 5000))

    (cdr,) = await world.cdrs()
    values = cdr["signed_data"]["signed_values"]
    assert [(one["nature"], one["signed_data"]) for one in values] == [
        ("Start", OCMF_BEGIN),
        ("End", OCMF_END),
    ]
    assert await world.billed_kwh() == [5]


@case("at which of several EVSEs it is was not told: nothing is guessed")
async def _unplaced(world: ChargingWorld) -> None:
    await world.knows()
    status = {"timestamp": world.at(), "connectorStatus": "Available", "connectorId": 1}
    await world.say("StatusNotification", {**status, "evseId": 1})
    await world.say("StatusNotification", {**status, "evseId": 2})
    await world.connect()
    await world.event("Updated", 1, 1000, card=CARD)
    assert await world.sessions() == []
    world.passes(60)
    await world.event("Ended", 2, 6000)

    (letter,) = await world.letters()
    assert (letter.energy_wh, letter.reason) == (5000, "its start is not known")
    assert await world.sessions() == []


@case("taking the stop breaks off: it is kept as a dead letter, and answered")
async def _broken(world: ChargingWorld) -> None:
    await world.knows()
    await world.event("Started", 0, 0, card=CARD)
    world.passes(60)
    broken = {"$set": {"signed": [{"nature": "End"}]}}
    await TRANSACTIONS.of(world.db).update_one({"transaction_id": "T-1"}, broken)
    await world.event("Ended", 1, 5000)

    (letter,) = await world.letters()
    assert (letter.kind, letter.energy_wh, letter.refused) == ("session_stopped", 5000, False)


def test_a_connector_may_tell_its_state_by_an_event(db: Database, loop: Loop) -> None:
    world = ChargingWorld(db, loop, "ocpp2.0.1")

    async def told(state: str) -> None:
        event = {
            "eventId": 1,
            "timestamp": world.at(),
            "trigger": "Delta",
            "actualValue": state,
            "eventNotificationType": "HardWiredNotification",
            "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
            "variable": {"name": "AvailabilityState"},
        }
        notice = {"generatedAt": world.at(), "seqNo": 0, "eventData": [event]}
        assert await world.say("NotifyEvent", notice) == {}

    async def story() -> None:
        for state, shown in (
            ("Available", "AVAILABLE"),
            ("Occupied", "BLOCKED"),
            ("Faulted", "OUTOFORDER"),
            ("Melting", "OUTOFORDER"),
        ):
            await told(state)
            assert await world.state() == shown

    world.run(story())


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, db: Database, loop: Loop) -> None:
    world = ChargingWorld(db, loop, "ocpp2.0.1")
    world.run(CASES[name](world))


def test_the_documented_cases_are_these() -> None:
    assert sorted(documented("2.0.1")) == sorted(CASES)
