"""What a session costs is told to a station of 2.0.1 that shows it, where that is switched on."""

from __future__ import annotations

import pytest

from db_interface.database import Database
from db_interface.transaction import Tx
from domain.objects.tariffs import owned_tariff
from domain.platform_facts import set_default_tariff
from domain.schemas import Tariff, validate
from domain.sessions.session_records import SESSIONS
from tests.conftest import Loop
from tests.cpo_app.ocpp.charging_world import CARD, ChargingWorld
from tests.domain.sessions.worlds import element, tariff


def priced(db: Database, loop: Loop, *, told: bool) -> ChargingWorld:
    """0.50 a kWh, and 20 percent of it in taxes."""
    settings = {"CPO_OCPP_TOTAL_COST": told}
    world = ChargingWorld(db, loop, "ocpp2.0.1", settings=settings)
    party = world.made.parties[0]
    of_ours = {"country_code": party.country_code, "party_id": party.party_id}
    made = {**tariff("T1", element("ENERGY", 0.5)), **of_ours}

    async def name(tx: Tx) -> None:
        await set_default_tariff(tx, "T1")

    async def put() -> None:
        await world.store.create("tariffs", owned_tariff(validate(Tariff, made)))
        await world.store.transact(name)
        await world.knows()

    world.run(put())
    return world


CHARGING = {"chargingState": "Charging"}


def test_with_each_event_and_at_the_end(db: Database, loop: Loop) -> None:
    world = priced(db, loop, told=True)

    async def story() -> None:
        started = await world.event("Started", 0, 1000, card=CARD)
        assert started["idTokenInfo"]["status"] == "Accepted"
        assert started.get("totalCost", 0.0) == 0.0
        world.passes(30)
        assert await world.event("Updated", 1, 6000, info=CHARGING) == {"totalCost": 3.0}
        world.passes(30)
        ended = await world.event("Ended", 2, 11_000, info={"stoppedReason": "Local"})
        assert ended == {"totalCost": 6.0}

    world.run(story())


def test_not_of_one_that_is_held(db: Database, loop: Loop) -> None:
    world = priced(db, loop, told=True)

    async def story() -> None:
        await world.event("Started", 0, 1000, card=CARD)
        since = world.db.now()
        hold = {"$set": {"held": {"since": since, "why": "a doubt"}}}
        await SESSIONS.of(world.db).update_one({}, hold)
        world.passes(30)
        assert await world.event("Updated", 1, 6000, info=CHARGING) == {}

    world.run(story())


@pytest.mark.parametrize("kind", ["Updated", "Ended"])
def test_not_where_it_is_off(db: Database, loop: Loop, kind: str) -> None:
    world = priced(db, loop, told=False)

    async def story() -> None:
        await world.event("Started", 0, 1000, card=CARD)
        world.passes(30)
        assert await world.event(kind, 1, 6000, info=CHARGING) == {}

    world.run(story())
