"""Where a tariff is used: counted by an index, whatever the case of an id, and whose party's."""

from __future__ import annotations

from functools import partial
from typing import Any

from db_interface.database import Database
from db_interface.indexes import ANY_CASE
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from domain.objects.finding import find_object
from domain.objects.locations import owned_location
from domain.objects.tariffs import owned_tariff
from domain.operator import tariffs
from domain.platform_facts import set_default_tariff
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_records import SESSIONS
from tests.conftest import Loop
from tests.domain.schemas.samples import connector, evse, location, tariff


def at(location_id: str, *named: list[str], owner: str = "EVC") -> Any:
    """A location of two EVSEs for each list: one has the connector with it, and one without."""
    evses = [
        evse(uid=f"{location_id}{n}", connectors=[connector(tariff_ids=ids), connector(id="2")])
        for n, ids in enumerate(named)
    ]
    evses.append(evse(uid=f"{location_id}x", connectors=[connector()]))
    return owned_location(
        location(country_code="NL", party_id=owner, id=location_id, evses=evses, name="Here")
    )


def test_where_a_tariff_is_used(db: Database, loop: Loop) -> None:
    async def world() -> tuple[tariffs.TariffUse, tariffs.TariffUse]:
        store = DbInterface(db)
        day = [
            owned_tariff(tariff(country_code="NL", party_id=party, id="DAY"))
            for party in ("EVC", "TWO")
        ]
        places = [
            at("A", ["DAY", "NIGHT"], ["day"], ["NIGHT"]),
            at("B", ["DAY"]),
            at("C", ["DAYS"]),
            at("D", ["DAY"], owner="TWO"),
        ]
        for module, objects in (("tariffs", day), ("locations", places)):
            await store.transact(partial(store.objects(module).put_new, objects))
        for n, on in enumerate((True, True, False)):
            session: ChargingSession = {"_id": f"S{n}", "running": on, "cp_id": f"CP{n}"}
            session |= {"connector_id": "1", "tariffs": [{"id": "DAY"}]}
            session |= {"country_code": "NL", "party_id": "EVC"}
            await SESSIONS.of(db).insert_one(session)
        found = await find_object(store, "tariffs", "day", ("NL", "EVC"))
        before = await tariffs.use_of(db, found)
        await store.transact(lambda tx: set_default_tariff(tx, "day"))
        return before, await tariffs.use_of(db, found)

    used, as_default = loop.run(world())
    assert (used.locations, used.evses, used.connectors) == (2, 3, 3)
    assert [(one.id, one.name) for one in used.first] == [("A", "Here"), ("B", "Here")]
    assert (used.running_sessions, used.default, as_default.default) == (2, False, True)


def test_it_is_counted_by_an_index(db: Database, loop: Loop) -> None:
    def stages(plan: JsonMapping) -> list[str]:
        return [plan["stage"], *(stages(plan["inputStage"]) if "inputStage" in plan else ())]

    async def explained() -> list[str]:
        store = DbInterface(db)
        one = [at(f"L{n}", ["DAY"] if n == 7 else []) for n in range(20)]
        await store.transact(partial(store.objects("locations").put_new, one))
        query = {"fields.evses.connectors.tariff_ids": "day", "owner": "nl*evc"}
        plan = await db["locations"].find(query).collation(ANY_CASE).explain()
        return stages(plan["queryPlanner"]["winningPlan"])

    assert loop.run(explained()) == ["FETCH", "IXSCAN"]
