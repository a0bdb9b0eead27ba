"""Two parties of ours with charge points: from the second's registration to its CDR."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cpo_app.registry.app import build_registry
from db_interface.database import Database
from domain.charge_points.charge_point_events import Registered
from domain.objects.tariffs import owned_tariff
from domain.schemas import Tariff, validate
from tests.conftest import Loop
from tests.cpo_app.ocpi.command_face import CommandFace, token
from tests.domain.sessions.worlds import tariff
from tests.peers.subjects import data_of

CP = "CP-EVC"
TO_FIRST = {"OCPI-to-country-code": "DE", "OCPI-to-party-id": "CPO"}
TO_SECOND = {"OCPI-to-country-code": "NL", "OCPI-to-party-id": "EVC"}


@pytest.fixture
def world(db: Database, loop: Loop) -> Iterator[CommandFace]:
    with contextlib.closing(
        CommandFace(
            db, loop, CPO_PARTIES="DE/CPO=First, NL/EVC=Second", REGISTRY_SECRET_KEY="r" * 40
        )
    ) as world:
        yield world


def registers(world: CommandFace, loop: Loop, cp_id: str, **metadata: Any) -> None:
    """At EV_Registry, then at EV_Central, where its engine reports that it is free."""

    async def register() -> None:
        app = build_registry(world.face.settings, world.face.store)
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
            body = {"cp_id": cp_id, "location": "Berlin", "metadata": metadata}
            answer = await client.post("/cp/register", json=body)
            assert answer.status_code == 200, answer.text

    loop.run(register())
    world.central.happen(cp_id, Registered("10.0.0.9", 8001, b"sealed", interval_s=60, missed=5))
    world.central.report(cp_id, "AVAILABLE")


def owner_of(row: dict[str, Any]) -> tuple[str, str]:
    return row["country_code"], row["party_id"]


def test_from_registration_to_the_cdr_it_is_the_second_partys(
    world: CommandFace, loop: Loop
) -> None:
    for price, owner in ((0.1, ("DE", "CPO")), (0.7, ("NL", "EVC"))):
        given = {**tariff(), "country_code": owner[0], "party_id": owner[1]}
        given["elements"][0]["price_components"][0].update(price=price, vat=None)
        world.face.keep("tariffs", owned_tariff(validate(Tariff, given)))
    registers(world, loop, CP, party="NL/EVC", tariff_ids=["T1"])
    world.moments_pass()
    emsp = world.emsp()

    [location] = data_of(emsp.side.get("locations", headers=TO_SECOND))
    assert (owner_of(location), location["id"]) == (("NL", "EVC"), CP)
    [evse] = location["evses"]
    assert (evse["evse_id"], evse["status"]) == ("NL*EVC*ECP*EVC", "AVAILABLE")

    # A command to the first party does not reach it; one to the second does.
    start = {"token": token(), "location_id": CP, "response_url": f"{emsp.url}/results/1"}
    wrong = emsp.side.post("commands/START_SESSION", json=start, headers=TO_FIRST)
    assert wrong.json()["status_code"] == 2003
    right = emsp.side.post("commands/START_SESSION", json=start, headers=TO_SECOND)
    assert data_of(right)["result"] == "ACCEPTED"
    world.settle()
    [told] = emsp.told
    assert told.body == {"result": "ACCEPTED"}
    sender = told.headers["ocpi-from-country-code"], told.headers["ocpi-from-party-id"]
    assert sender == ("NL", "EVC")

    [begun] = world.central.sessions()
    world.central.began(begun["_id"], CP)
    world.moments_pass()
    [session] = data_of(emsp.side.get("sessions?date_from=2020-01-01T00:00:00Z"))
    assert (owner_of(session), session["status"]) == (("NL", "EVC"), "ACTIVE")
    world.central.clock.advance(3600)
    world.central.stopped(begun["_id"], energy_wh=10_000, cp_id=CP)

    [cdr] = data_of(emsp.side.get("cdrs"))
    assert owner_of(cdr) == ("NL", "EVC")
    assert cdr["cdr_location"]["evse_id"] == "NL*EVC*ECP*EVC"
    assert [owner_of(one) for one in cdr["tariffs"]] == [("NL", "EVC")]
    assert cdr["total_cost"]["excl_vat"] == pytest.approx(7.0)
    assert data_of(emsp.side.get("cdrs", headers=TO_FIRST)) == []
