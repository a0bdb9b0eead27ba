"""TransactionEvents in whatever order, each twice: one session, one bill, the same bill."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from db_interface.database import Database
from tests.conftest import Loop
from tests.cpo_app.ocpp.charging_world import CARD, ChargingWorld

EVENTS = ("started", "with the card", "metered", "ended")


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_the_bill_is_the_same(order: tuple[int, ...], db: Database, loop: Loop) -> None:
    world = ChargingWorld(db, loop, "ocpp2.0.1")

    async def story() -> None:
        await world.knows()
        times = []
        for _ in EVENTS:
            times.append(world.at())
            world.passes(20)
        for number in order:
            for _ in range(2):
                kind = ("Started", "Updated", "Updated", "Ended")[number]
                card = CARD if number == 1 else None
                register_wh = (1000, None, 4000, 6000)[number]
                await world.event(
                    kind, number, register_wh, when=times[number], card=card, offline=True
                )

        session = await world.session()
        assert session.get("held") is None
        assert await world.billed_kwh() == [5]
        assert session["ended"] - session["started"] == timedelta(minutes=40)
        assert "unbilled" not in session
        assert await world.letters() == []
        (transaction,) = await world.transactions()
        assert (transaction["seen"], transaction["ended"]) == ([[0, 3]], True)

    world.run(story())
