"""The process killed (-9) between any two steps from "changed" to "delivered": nothing is lost,
nothing is sent twice that must not be, and the peers end in the present state."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

import orjson
import pytest

from domain.outbox.crash_points import NAMES
from tests import forks
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.receiving_emsp import Receiver

_ROOT = Path(__file__).parents[4]


def driver(mongo_url: str, number: int, crash_at: str = "") -> AbstractContextManager[forks.Fork]:
    return forks.talking(
        *("tests.cpo_app.ocpi.push.driver", mongo_url, str(number)),
        cwd=_ROOT,
        env={**os.environ, "CPO_CRASH_AT": crash_at},
    )


def stored(house: House, module: str) -> dict[str, bytes]:
    async def read() -> dict[str, bytes]:
        rows = await house.db[module].find({}, {"raw": 1, "fields.id": 1}).to_list(None)
        return {row["fields"]["id"]: bytes(row["raw"]) for row in rows}

    return house.loop.run(read())


def assert_holds_the_present_state(house: House, emsp: Receiver) -> None:
    for module in ("locations", "tariffs", "sessions"):
        present = {id_: orjson.loads(raw) for id_, raw in stored(house, module).items()}
        assert emsp.held(module) == present, module
    assert emsp.cdrs == {id_: [raw] for id_, raw in stored(house, "cdrs").items()}


def the_lease_ends(house: House) -> None:
    """Three seconds pass."""

    async def end() -> None:
        await house.db["push_lanes"].update_many({}, [{"$set": {"until": "$$NOW"}}])

    house.loop.run(end())


@pytest.mark.processes
@pytest.mark.usefixtures("short_transactions")
def test_killed_at_every_step_between_changed_and_delivered(house: House, store_url: str) -> None:
    emsp, _ = house.peer("DE*TNM")
    for number, name in enumerate(NAMES):
        with driver(store_url, number, name) as process:
            assert process.wait(40) == 137, f"never came to {name}"
        the_lease_ends(house)

    with driver(store_url, len(NAMES)) as survivor:
        emsp.wait_until(lambda: f"C{len(NAMES)}" in emsp.cdrs, 40)
        house.until_nothing_is_left(40)
        assert survivor.poll() is None

    assert_holds_the_present_state(house, emsp)
    assert emsp.held("locations")["LOC1"]["name"] == f"Round {len(NAMES)}"
    # A round that died inside its transaction has left nothing behind at all.
    died_unheard = [f"LOC-{NAMES.index(name)}" for name in ("object-written", "marks-written")]
    assert not set(died_unheard) & set(emsp.held("locations"))
    sessions = [got.segments[-1] for got in emsp.of("PUT", "sessions")]
    for cdr_id in emsp.cdrs:
        post = next(i for i, got in enumerate(emsp.got) if cdr_id.encode() in got.body)
        assert cdr_id.replace("C", "S") in [got.segments[-1] for got in emsp.got[:post]]
    assert len(sessions) >= len(emsp.cdrs)
