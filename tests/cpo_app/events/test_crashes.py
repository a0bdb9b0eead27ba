"""The process killed (-9) between any two steps from "changed" to "the brokers have it": nothing is
lost, what is told twice can be told by its id, and consumers end in the present state."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import orjson
import pytest

from domain.outbox.crash_points import EVENTS
from tests import forks
from tests.cpo_app.events.cluster import Consumer
from tests.cpo_app.events.conftest import House

_ROOT = Path(__file__).parents[3]
IN_THE_TRANSACTION = "event-marks-written"


def driver(
    house: House, mongo_url: str, number: int, crash_at: str = ""
) -> AbstractContextManager[forks.Fork]:
    module = "tests.cpo_app.events.driver"
    return forks.talking(
        *(module, mongo_url, house.cluster, house.prefix, str(number)),
        cwd=_ROOT,
        env={**os.environ, "CPO_CRASH_AT": crash_at},
    )


def stored(house: House, module: str) -> dict[str, object]:
    async def read() -> dict[str, object]:
        rows = await house.db[module].find({}, {"raw": 1}).to_list(None)
        return {row["_id"]: orjson.loads(row["raw"]) for row in rows}

    return house.loop.run(read())


def the_lease_ends(house: House) -> None:
    """Three seconds pass."""

    async def end() -> None:
        await house.db["event_streams"].update_many({}, [{"$set": {"until": "$$NOW"}}])

    house.loop.run(end())


def _ends_in(consumer: Consumer, topic: str, present: object, _: object) -> bool:
    return consumer.last_of(topic) == present


@pytest.mark.processes
@pytest.mark.usefixtures("short_transactions")
def test_killed_at_every_step_between_changed_and_told(house: House, store_url: str) -> None:
    for number, name in enumerate(EVENTS):
        with driver(house, store_url, number, name) as process:
            assert process.wait(40) == 137, f"never came to {name}"
        the_lease_ends(house)
    last = len(EVENTS)
    consumer = house.consumer()
    with driver(house, store_url, last) as survivor:
        consumer.until(lambda _: f"nl/evc/loc-{last}" in consumer.last_of("locations"), 40)
        house.until_all_is_told(40)
        assert survivor.poll() is None

    for module in ("locations", "tariffs", "sessions", "cdrs"):
        present = stored(house, module)
        assert present
        consumer.until(partial(_ends_in, consumer, module, present))
    # What died inside its transaction has left nothing behind at all.
    assert f"nl/evc/c{EVENTS.index(IN_THE_TRANSACTION)}" not in consumer.last_of("cdrs")
    by_id: dict[str, object] = {}
    for one in consumer.got:
        assert by_id.setdefault(one.event["id"], one.event) == one.event
