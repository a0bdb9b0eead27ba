"""Telemetry: in order, each message once, whatever is lost or repeated on the way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cpo_app.central.telemetry import Handler, MessageRefused
from db_interface.transaction import Tx
from domain.charge_points.charge_points import ChargePoint
from tests.cpo_app.central.conftest import Api, World, meter, state, token


class Ledger:
    """A handler that keeps what it is given, in the batch's transaction."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fail_on: int | None = None
        self.refuse: int | None = None

    def api(self) -> Api:
        """A worker that keeps it."""
        return self.world.api(self.world.central(handlers=[Handler("meter", self)]))

    async def __call__(self, tx: Tx, charge_point: ChargePoint, message: dict[str, Any]) -> None:
        if message["seq"] == self.refuse:
            raise MessageRefused("no such session")
        row = {
            "cp": charge_point["_id"],
            "status": charge_point["ocpi_status"],
            "seq": message["seq"],
        }
        await self.world.db["ledger"].insert_one(row, session=tx.mongo)
        if message["seq"] == self.fail_on:
            raise RuntimeError("the process died here")

    def seqs(self) -> list[int]:
        async def read() -> list[int]:
            rows = await self.world.db["ledger"].find().sort("_id", 1).to_list(None)
            return [row["seq"] for row in rows]

        return self.world.loop.run(read())


def test_states_are_followed_in_order(world: World) -> None:
    shown, api = world.enrol("CP-001"), world.api()
    api.register(shown)
    answer = api.telemetry(
        shown,
        state(1, "PREPARING", plugged=True),
        state(2, "CHARGING", plugged=True, session_id="S1"),
        meter(3),
    )
    assert answer.json() == {"status": "ok", "acked": 3}
    assert world.status() == "CHARGING"
    assert world.history() == ["AVAILABLE", "BLOCKED", "CHARGING"]
    (connector,) = world.document()["connectors"]
    assert (connector["session_id"], connector["meter"]["energy_wh"]) == ("S1", 100.0)
    assert (world.document()["boot_id"], world.document()["acked_seq"]) == ("boot-1", 3)


def test_what_was_taken_is_not_taken_again(world: World) -> None:
    shown, ledger = world.enrol("CP-001"), Ledger(world)
    api = ledger.api()
    api.register(shown)
    assert api.telemetry(shown, meter(1), meter(2)).json()["acked"] == 2
    assert api.telemetry(shown, meter(1), meter(2)).json()["acked"] == 2
    assert api.telemetry(shown, meter(2), meter(3)).json()["acked"] == 3
    assert api.telemetry(shown, meter(1)).json()["acked"] == 3
    assert ledger.seqs() == [1, 2, 3]


def test_the_same_batch_at_two_workers_at_once_counts_once(world: World) -> None:
    shown, ledger = world.enrol("CP-001"), Ledger(world)
    apis = [ledger.api() for _ in range(4)]
    apis[0].register(shown)
    body = {"cp_id": "CP-001", "boot_id": "b", "messages": [meter(seq) for seq in range(1, 6)]}
    headers = {"Authorization": f"Bearer {shown}"}

    async def race() -> list[int]:
        sent = [api.http.post("/cp/telemetry", json=body, headers=headers) for api in apis]
        return [answer.json()["acked"] for answer in await asyncio.gather(*sent)]

    assert world.loop.run(race()) == [5, 5, 5, 5]
    assert ledger.seqs() == [1, 2, 3, 4, 5]


def test_a_batch_that_breaks_off_leaves_nothing_and_is_taken_whole_later(world: World) -> None:
    shown, ledger = world.enrol("CP-001"), Ledger(world)
    ledger.fail_on = 3
    api = ledger.api()
    api.register(shown)
    batch = [state(1, "CHARGING", plugged=True), meter(2), meter(3)]
    answer = api.telemetry(shown, *batch)
    assert (answer.status_code, answer.json()["detail"]) == (500, "internal error")
    assert ledger.seqs() == []
    assert world.status() == "AVAILABLE"
    ledger.fail_on = None
    assert api.telemetry(shown, *batch).json()["acked"] == 3
    assert ledger.seqs() == [2, 3]
    assert world.status() == "CHARGING"


def test_a_message_that_a_handler_refuses_holds_up_no_other(world: World) -> None:
    shown, ledger = world.enrol("CP-001"), Ledger(world)
    ledger.refuse = 2
    api = ledger.api()
    api.register(shown)
    assert api.telemetry(shown, meter(1), meter(2), meter(3)).json()["acked"] == 3
    assert ledger.seqs() == [1, 3]


def test_a_handler_sees_the_state_as_it_was_at_its_message(world: World) -> None:
    shown, api = world.enrol("CP-001"), Ledger(world).api()
    api.register(shown)
    api.telemetry(shown, state(1, "CHARGING", plugged=True), meter(2), state(3, "AVAILABLE"))

    async def read() -> dict[str, Any]:
        return await world.db["ledger"].find_one({}, {"_id": 0})

    assert world.loop.run(read()) == {"cp": "CP-001", "status": "CHARGING", "seq": 2}


def test_a_restarted_engine_counts_from_one_and_old_states_do_not_come_back(world: World) -> None:
    shown, ledger = world.enrol("CP-001"), Ledger(world)
    api = ledger.api()
    api.register(shown)
    api.telemetry(shown, state(1, "CHARGING", plugged=True), boot_id="first")
    api.telemetry(shown, state(1, "AVAILABLE"), boot_id="second")
    late = api.telemetry(shown, meter(2), state(3, "CHARGING", plugged=True), boot_id="first")
    assert late.json()["acked"] == 3
    assert ledger.seqs() == [2]
    assert world.status() == "AVAILABLE"
    assert api.telemetry(shown, state(1, "FAULTED"), boot_id="second").json()["acked"] == 1
    assert world.status() == "AVAILABLE"


@pytest.mark.parametrize(
    ("message", "names"),
    [
        (state(1, "ASLEEP"), "messages.0.state"),
        (state(1, "AVAILABLE", ev_state="gone"), "messages.0.ev_state"),
        ({**meter(1), "energy_wh": -1}, "messages.0.energy_wh"),
        ({**meter(1), "power_w": None}, "messages.0.power_w"),
        ({**meter(1), "at": "soon"}, "messages.0.at"),
        ({**meter(1), "at": "0001-01-01T00:00:00+23:00"}, "messages.0.at"),
        ({**meter(1), "kind": "gossip"}, "messages.0"),
        ({**meter(1), "seq": 0}, "messages.0.seq"),
    ],
)
def test_malformed_messages_are_400_and_named(
    world: World, message: dict[str, Any], names: str
) -> None:
    answer = world.api().telemetry(token("CP-001"), message)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
    assert answer.json()["detail"].startswith(f"{names}: ")


def test_numbers_that_are_none_are_400(world: World) -> None:
    for number in ("NaN", "Infinity"):
        raw = (
            '{"cp_id":"CP-001","boot_id":"b","messages":[{"seq":1,"kind":"meter",'
            '"at":"2025-05-01T12:00:00Z","connector_id":"1","session_id":"S","energy_wh":'
            + number
            + ',"register_wh":1,"power_w":1,"current_a":1,"voltage_v":1,"phases":1}]}'
        )
        bearer = f"Bearer {token('CP-001')}"
        headers = {"Content-Type": "application/json", "Authorization": bearer}
        answer = world.api().request("POST", "/cp/telemetry", headers=headers, content=raw)
        assert answer.status_code == 400
        assert "energy_wh" in answer.json()["detail"]


def test_order_and_number_are_checked(world: World) -> None:
    api = world.api()
    assert (
        "seq 1 comes after seq 2"
        in api.telemetry(token("CP-001"), meter(2), meter(1)).json()["detail"]
    )
    many = [meter(seq) for seq in range(1, 502)]
    assert api.telemetry(token("CP-001"), *many).status_code == 400
    assert api.telemetry(token("CP-001")).status_code == 400


def test_a_full_batch_is_taken(world: World) -> None:
    shown, api = world.enrol("CP-001"), world.api()
    api.register(shown)
    batch = [meter(seq, energy_wh=seq) for seq in range(2, 501)]
    answer = api.telemetry(shown, state(1, "CHARGING", plugged=True), *batch)
    assert answer.json()["acked"] == 500
    assert world.document()["connectors"][0]["meter"]["energy_wh"] == 500


def test_handlers_are_called_in_their_order_and_a_refusal_ends_it(world: World) -> None:
    shown, first, second = world.enrol("CP-001"), Ledger(world), Ledger(world)
    calls: list[tuple[str, int]] = []

    def noted(name: str, ledger: Ledger) -> Handler:
        async def handle(tx: Tx, charge_point: ChargePoint, message: dict[str, Any]) -> None:
            await ledger(tx, charge_point, message)
            calls.append((name, message["seq"]))

        return Handler("meter", handle)

    first.refuse = 2
    handlers = [noted("first", first), noted("second", second)]
    api = world.api(world.central(handlers=handlers))
    api.register(shown)
    assert api.telemetry(shown, meter(1), meter(2), meter(3)).json()["acked"] == 3
    assert calls == [("first", 1), ("second", 1), ("first", 3), ("second", 3)]


def test_a_handler_is_for_a_kind_that_exists(world: World) -> None:
    with pytest.raises(ValueError, match="gossip"):
        Handler("gossip", Ledger(world))
