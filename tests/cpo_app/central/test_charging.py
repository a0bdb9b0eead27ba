"""Sessions as charge points report them over HTTP, and the sweeper; the clock is the test's."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from cpo_app.central.charging import rules_of
from cpo_app.central.link.link import LinkAnswer, LinkResult, LinkUnreachable
from cpo_app.central.service import Central
from cpo_app.central.sweepers.session_stopper import SessionStopper
from cpo_app.central.sweepers.session_sweeper import NEVER_BEGAN, VANISHED, Sweeper
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx
from domain.commands.command_targets import place_of
from domain.objects.tokens import owned_token
from domain.schemas import Token, validate
from domain.sessions import charging_sessions
from domain.sessions.session_records import SESSIONS, set_beside
from tests.clock import WrongClock, told_the_time
from tests.cpo_app.central.conftest import Api, World

TOKEN = {
    "country_code": "DE",
    "party_id": "MSP",
    "uid": "CARD-1",
    "type": "RFID",
    "contract_id": "C1",
    "issuer": "MSP",
    "valid": True,
    "whitelist": "ALWAYS",
    "last_updated": "2025-01-01T00:00:00Z",
}


class FakeLink:
    """Knows how often it was asked to stop, and whether it is reached."""

    def __init__(self) -> None:
        self.reached = True
        self.asked: list[tuple[str, str, str]] = []
        self.hanging: set[str] = set()
        self.held: list[str] = []

    async def stop(self, cp_id: str, command_id: str, *, session_id: str, **_: Any) -> LinkAnswer:
        if cp_id in self.hanging:
            self.held.append(cp_id)
            await asyncio.Event().wait()
        if not self.reached:
            raise LinkUnreachable("away", sent=False)
        self.asked.append((cp_id, command_id, session_id))
        return LinkAnswer(LinkResult.ACCEPTED)

    async def close(self) -> None:
        return None


def sweeper_of(central: Central) -> Sweeper:
    return Sweeper(central, rules_of(central.settings))


class Charging:
    """A charge point CP-001 with its engine's telemetry, and Central that keeps its sessions."""

    def __init__(self, world: World, **settings: Any) -> None:
        self.world = world
        self.token = world.enrol("CP-001")
        self.central: Central = world.central(
            CENTRAL_SWEEP_AFTER_S=600, CENTRAL_PENDING_TIMEOUT_S=100, **settings
        )
        self.link = FakeLink()
        self.central.link = self.link  # type: ignore[assignment]
        self.sweeper = sweeper_of(self.central)
        self.stopper = SessionStopper(self.central)
        self.api: Api = world.api(self.central)
        self.api.register(self.token)
        self.seq = 0

    def open(self) -> str:
        return self.world.loop.run(self.opened(self.central))

    def undo(self, session_id: str) -> None:
        """Its eMSP is told that nothing started."""

        async def work(tx: Tx) -> None:
            await set_beside(tx, session_id, {"undone": True})

        self.world.loop.run(self.central.store.transact(work))

    def stop_what_must_not_charge(self) -> None:
        async def run() -> None:
            await self.stopper.round()
            await self.stopper.settled()

        self.world.loop.run(run())

    def after_days(self, days: float) -> list[str]:
        """Let days go by in which the sweeper sleeps, and then ten minutes in which it listens."""
        self.world.clock.advance(days * 86_400)
        return self.sweep(after_s=620)

    async def opened(self, central: Central) -> str:
        async def work(tx: Tx) -> str:
            place = await place_of(tx, "CP-001")
            assert place is not None
            return await charging_sessions.open_session(
                tx,
                cp_id="CP-001",
                location=place.location,
                evse=place.evse,
                connector=place.connector(None),
                token=TOKEN,
                auth_method="WHITELIST",
                authorization_reference=None,
                source="local",
            )

        return await DbInterface(central.db).transact(work)

    def at(self) -> str:
        return self.world.clock.at.isoformat().replace("+00:00", "Z")

    def message(self, kind: str, session_id: str, **more: Any) -> dict[str, Any]:
        self.seq += 1
        return {
            "seq": self.seq,
            "kind": kind,
            "at": self.at(),
            "connector_id": "1",
            "session_id": session_id,
            "register_wh": 1000,
            **more,
        }

    def began(self, session_id: str, **more: Any) -> dict[str, Any]:
        return self.message("session_started", session_id, source="local", **more)

    def metered(self, session_id: str, energy_wh: float, **more: Any) -> dict[str, Any]:
        measured = {"power_w": 11000, "current_a": 16, "voltage_v": 230, "phases": 3}
        return self.message("meter", session_id, energy_wh=energy_wh, **{**measured, **more})

    def stopped(self, session_id: str, energy_wh: float, **more: Any) -> dict[str, Any]:
        return self.message(
            "session_stopped", session_id, energy_wh=energy_wh, reason="local", **more
        )

    def send(self, *messages: dict[str, Any], boot_id: str = "boot-1") -> dict[str, Any]:
        response = self.api.telemetry(self.token, *messages, boot_id=boot_id)
        assert response.status_code == 200, response.text
        return response.json()

    def inner(self, session_id: str) -> JsonMapping:
        found = self.world.loop.run(charging_sessions.get(self.world.db, session_id))
        assert found is not None
        return found

    def cdrs(self) -> list[dict[str, Any]]:
        async def read() -> list[dict[str, Any]]:
            return [
                dict(row["fields"])
                for row in await self.central.store.objects("cdrs").documents({})
            ]

        return self.world.loop.run(read())

    def sweep(self, *, after_s: float = 0, sweeper: Sweeper | None = None) -> list[str]:
        """Let time pass in steps in which a sweeper stays awake; what was swept at the end."""
        swept: list[str] = []
        sweeper = sweeper or self.sweeper
        end = self.world.clock.at + timedelta(seconds=after_s)
        swept += self.world.loop.run(sweeper.round())
        while self.world.clock.at < end:
            self.world.clock.advance(20)
            swept += self.world.loop.run(sweeper.round())
        return swept


@pytest.fixture
def charging(world: World) -> Charging:
    return Charging(world)


def test_an_engine_reports_a_whole_session(charging: Charging) -> None:
    session_id = charging.open()
    charging.send(charging.began(session_id), charging.metered(session_id, 0))
    assert charging.inner(session_id)["status"] == "ACTIVE"
    charging.world.clock.advance(60)
    charging.send(charging.metered(session_id, 180, soc=55.5))
    session = charging.world.loop.run(
        charging.central.store.get("sessions", f"de/cpo/{session_id}")
    )
    assert session is not None
    assert session["charging_periods"][-1]["dimensions"][-1] == {
        "type": "STATE_OF_CHARGE",
        "volume": 55.5,
    }
    charging.world.clock.advance(60)
    signed = 'OCMF|{"FV":"1.0","RD":[{"RV":0.36}]}|{"SD":"30450220"}'
    charging.send(charging.stopped(session_id, 360, signed_data=signed))
    assert charging.inner(session_id)["status"] == "COMPLETED"
    assert charging.inner(session_id)["register_end_wh"] == 1000
    [cdr] = charging.cdrs()
    assert (cdr["session_id"], cdr["total_energy"]) == (session_id, 0.36)
    assert cdr["signed_data"] == {
        "encoding_method": "OCMF",
        "encoding_method_version": 1,
        "url": "https://transparenz.software/",
        "signed_values": [
            {
                "nature": "End",
                "plain_data": '{"FV":"1.0","RD":[{"RV":0.36}]}',
                "signed_data": signed,
            }
        ],
    }


def test_signed_data_that_does_not_fit_is_left_out_and_the_session_still_ends(
    charging: Charging, caplog: pytest.LogCaptureFixture
) -> None:
    for number, unfit in enumerate(("OCMF|" + "x" * 5000, "scribble", {"signed_values": []})):
        session_id = charging.open()
        charging.send(
            charging.began(session_id), charging.stopped(session_id, 1, signed_data=unfit)
        )
        assert charging.inner(session_id)["status"] == "COMPLETED"
        assert len(charging.cdrs()) == number + 1
        assert "signed_data" not in charging.cdrs()[-1]
    assert caplog.text.count("signature dropped") == 3


def test_a_batch_that_is_sent_again_and_an_engine_that_restarts_go_on_with_the_same_session(
    charging: Charging,
) -> None:
    session_id = charging.open()
    first = [charging.began(session_id), charging.metered(session_id, 10)]
    charging.send(*first)
    charging.send(*first)
    # Central died and came back: another worker on the same store; the engine has a new boot_id.
    again = charging.world.central()
    charging.api = charging.world.api(again)
    charging.world.clock.advance(10)
    charging.seq = 0
    charging.send(charging.metered(session_id, 40), boot_id="boot-2")
    charging.send(charging.stopped(session_id, 41), boot_id="boot-2")
    assert charging.inner(session_id)["status"] == "COMPLETED"
    assert [cdr["total_energy"] for cdr in charging.cdrs()] == [0.041]


def test_messages_that_nothing_can_be_made_of_hold_up_nobody(
    charging: Charging, caplog: pytest.LogCaptureFixture
) -> None:
    session_id = charging.open()
    acked = charging.send(
        charging.began("S-UNKNOWN", id_tag="NOBODY"),
        charging.metered("S-UNKNOWN", 5),
        charging.stopped("S-UNKNOWN", 5),
        charging.began(session_id),
    )["acked"]
    assert acked == 4
    assert charging.inner(session_id)["status"] == "ACTIVE"
    assert caplog.text.count("its session is not known") == 3


def test_a_charge_point_speaks_for_its_own_sessions_alone(
    charging: Charging, caplog: pytest.LogCaptureFixture
) -> None:
    session_id = charging.open()
    rival = charging.world.enrol("CP-002")
    body = charging.stopped(session_id, 99999)
    response = charging.api.telemetry(rival, body, cp_id="CP-002")
    assert response.status_code == 200
    assert charging.inner(session_id)["status"] == "PENDING"
    assert "another charge point's" in caplog.text


def test_a_session_that_central_lost_is_taken_over_when_its_card_is_known(
    charging: Charging,
) -> None:
    store = charging.central.store
    charging.world.loop.run(store.create("tokens", owned_token(validate(Token, TOKEN))))
    lost = charging.open()  # Central believes that this one runs
    charging.send(charging.began("FROM-THE-ENGINE", id_tag="card-1"))
    taken = charging.inner("FROM-THE-ENGINE")
    assert (taken["status"], taken["token"]["uid"], taken["auth_method"]) == (
        "ACTIVE",
        "CARD-1",
        "WHITELIST",
    )
    assert (charging.inner(lost)["status"], charging.inner(lost)["running"]) == ("PENDING", False)
    assert "another session began" in charging.inner(lost)["suspect"]["why"]


def test_a_start_that_nothing_comes_of_is_suspect_and_invalid_only_after_days(
    charging: Charging,
) -> None:
    session_id = charging.open()
    assert charging.sweep(after_s=80) == []
    assert charging.sweep(after_s=40) == [session_id]
    inner = charging.inner(session_id)
    assert (inner["status"], inner["suspect"]["why"]) == ("PENDING", NEVER_BEGAN)
    assert charging.after_days(6.9) == []
    assert charging.after_days(0.2) == [session_id]
    assert charging.inner(session_id)["status"] == "INVALID"
    assert charging.cdrs() == []


def test_an_uplink_that_is_cut_for_longer_than_every_limit_costs_no_energy(
    charging: Charging,
) -> None:
    """The engine charges on, buffers, and tells it all in order when it is back."""
    session_id = charging.open()
    charging.send(charging.began(session_id), charging.metered(session_id, 0))
    kept = []
    for minute in range(1, 61):
        charging.world.clock.advance(60)
        kept.append(charging.metered(session_id, minute * 180))
    kept.append(charging.stopped(session_id, 10_800))
    swept = charging.sweep(after_s=1000)
    assert swept == [session_id]
    assert charging.cdrs() == []
    charging.sweep(after_s=86_400 / 4)
    charging.send(*kept)
    assert charging.inner(session_id)["status"] == "COMPLETED"
    [cdr] = charging.cdrs()
    assert (cdr["total_energy"], cdr["total_time"]) == (10.8, 1.0)
    charging.stop_what_must_not_charge()
    assert charging.link.asked == []


def test_a_start_that_was_accepted_before_the_uplink_was_cut_is_billed(
    charging: Charging,
) -> None:
    session_id = charging.open()
    kept = [charging.began(session_id)]
    charging.world.clock.advance(1500)
    kept.append(charging.stopped(session_id, 4000))
    assert charging.sweep(after_s=400) == [session_id]
    charging.send(*kept)
    assert [cdr["total_energy"] for cdr in charging.cdrs()] == [4.0]


def test_a_dead_engine_with_a_living_monitor_makes_its_session_suspect(charging: Charging) -> None:
    session_id = charging.open()
    charging.send(charging.began(session_id), charging.metered(session_id, 100))
    swept: list[str] = []
    for _ in range(11):
        charging.api.beat(charging.token)
        swept += charging.sweep(after_s=60)
    assert swept == [session_id]
    assert charging.inner(session_id)["suspect"]["why"] == VANISHED
    assert charging.open() != session_id  # its connector is free


def test_after_days_a_session_is_estimated_and_corrected_when_the_word_comes(
    charging: Charging,
) -> None:
    session_id = charging.open()
    charging.send(charging.began(session_id), charging.metered(session_id, 0))
    charging.world.clock.advance(60)
    charging.send(charging.metered(session_id, 180))
    charging.world.clock.advance(60)
    kept = [charging.metered(session_id, 360), charging.stopped(session_id, 365)]
    charging.sweep(after_s=700)
    assert charging.after_days(7.1) == [session_id]
    assert charging.cdrs()[0]["remark"] == f"estimated: {VANISHED}"
    charging.send(*kept)
    assert [(cdr["total_energy"], cdr.get("credit", False)) for cdr in charging.cdrs()] == [
        (0.18, False),
        (0.18, True),
        (0.365, False),
    ]
    charging.stop_what_must_not_charge()
    assert charging.link.asked == []


def test_after_an_outage_of_central_the_charge_points_get_their_time_to_report(
    charging: Charging,
) -> None:
    session_id = charging.open()
    charging.send(charging.began(session_id))
    charging.world.clock.advance(7200)
    fresh = sweeper_of(charging.world.central(CENTRAL_SWEEP_AFTER_S=600))
    assert charging.sweep(after_s=580, sweeper=fresh) == []
    charging.send(charging.metered(session_id, 22000))
    assert charging.sweep(after_s=100, sweeper=fresh) == []
    assert charging.inner(session_id)["status"] == "ACTIVE"


def test_many_sweepers_find_and_give_up_a_session_once(charging: Charging) -> None:
    session_id = charging.open()
    charging.send(charging.began(session_id), charging.metered(session_id, 100))
    sweepers = [charging.sweeper]
    for _ in range(3):
        central = charging.world.central(
            CENTRAL_SWEEP_AFTER_S=600, CENTRAL_ESTIMATE_AFTER_DAYS=0.01
        )
        sweepers.append(sweeper_of(central))

    async def rounds() -> list[list[str]]:
        return list(await asyncio.gather(*(sweeper.round() for sweeper in sweepers)))

    swept: list[str] = []
    for _ in range(80):
        charging.world.clock.advance(20)
        swept += [name for found in charging.world.loop.run(rounds()) for name in found]
    assert swept == [session_id, session_id]
    assert len(charging.cdrs()) == 1


def test_one_session_that_cannot_be_dealt_with_keeps_no_other_waiting(
    charging: Charging, caplog: pytest.LogCaptureFixture
) -> None:
    bad = charging.open()
    charging.send(charging.began(bad), charging.metered(bad, 100))

    async def spoil_and_open_another() -> None:
        sessions = charging.world.db["charging_sessions"]
        await sessions.update_one({"_id": bad}, {"$unset": {"country_code": ""}})
        good = await sessions.find_one({"_id": bad})
        assert good is not None
        late = good["last_heard"] + timedelta(seconds=1)
        whole = {"_id": "GOOD", "connector_id": "2", "country_code": "DE", "last_heard": late}
        await sessions.insert_one({**good, **whole})

    charging.world.loop.run(spoil_and_open_another())
    swept = charging.sweep(after_s=660)
    assert swept == ["GOOD"]
    tries = caplog.text.count(f"session {bad} could not be swept")
    assert 1 <= tries <= 5  # and it is not tried each round


def test_a_start_that_was_undone_is_stopped_when_it_begins(charging: Charging) -> None:
    session_id = charging.open()
    charging.undo(session_id)
    charging.send(charging.began(session_id), charging.metered(session_id, 100))
    charging.link.reached = False
    charging.stop_what_must_not_charge()
    charging.link.reached = True
    charging.stop_what_must_not_charge()
    assert charging.link.asked == []  # it is left alone for a while
    charging.world.clock.advance(10)
    charging.stop_what_must_not_charge()
    charging.stop_what_must_not_charge()
    assert charging.link.asked == [("CP-001", f"stop-{session_id}", session_id)]
    charging.send(charging.stopped(session_id, 150))
    assert [cdr["total_energy"] for cdr in charging.cdrs()] == [0.15]


def test_charge_points_that_hang_stop_neither_the_sweeping_nor_another_stop(
    charging: Charging,
) -> None:
    session_id = charging.open()
    charging.undo(session_id)
    charging.send(charging.began(session_id))

    async def nine_more() -> None:
        sessions = charging.world.db["charging_sessions"]
        stuck = await sessions.find_one({"_id": session_id})
        assert stuck is not None
        await sessions.insert_many(
            {**stuck, "_id": f"STUCK-{n}", "cp_id": f"HANGS-{n}", "running": False}
            for n in range(9)
        )

    charging.world.loop.run(nine_more())
    charging.link.hanging = {f"HANGS-{n}" for n in range(9)}

    async def rounds() -> None:
        for _ in range(3):
            await charging.stopper.round()
        while not charging.link.asked:
            await asyncio.sleep(0.001)

    charging.world.loop.run(rounds())
    assert charging.link.asked == [("CP-001", f"stop-{session_id}", session_id)]
    assert len(charging.link.held) == 9  # each was asked once, all at the same time
    assert charging.sweep(after_s=640) == [session_id]
    charging.world.loop.run(charging.stopper.stop())


def test_the_sweeper_runs_beside_central_and_stops(charging: Charging) -> None:
    session_id = charging.open()
    charging.sweeper.rounds.pause_s = 0.01

    async def run() -> str:
        begin: datetime = charging.world.clock.at
        charging.sweeper.rounds.start()
        while True:
            document = await charging_sessions.get(charging.world.db, session_id)
            assert document is not None
            if document.get("suspect"):
                await charging.sweeper.rounds.stop()
                await charging.sweeper.rounds.stop()
                return document["status"]
            if charging.world.clock.at - begin < timedelta(seconds=300):
                charging.world.clock.advance(1)
            await asyncio.sleep(0.01)

    assert charging.world.loop.run(run()) == "PENDING"


@pytest.mark.parametrize("off", [timedelta(days=1), timedelta(days=-1)])
def test_a_host_with_a_wrong_clock_takes_no_session_for_silent_and_misses_none(
    world: World, off: timedelta
) -> None:
    charging = Charging(world)
    db = world.db
    db.clock = told_the_time(WrongClock(off))
    session_id = charging.open()
    charging.send(charging.began(session_id, at=db.now().isoformat()))

    assert charging.sweep(after_s=800) == []  # it listens for long enough, at once by the database
    assert charging.inner(session_id).get("suspect") is None

    silent_since = db.now() - timedelta(seconds=601)
    world.loop.run(
        SESSIONS.of(db).update_one({"_id": session_id}, {"$set": {"last_heard": silent_since}})
    )
    assert charging.sweep() == [session_id]
    assert charging.inner(session_id)["suspect"]["why"] == VANISHED
