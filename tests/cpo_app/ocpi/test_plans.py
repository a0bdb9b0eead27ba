"""Every query that a request causes finds an index: MongoDB's own profiler says so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject
from db_interface.writers import WRITERS
from domain.objects.locations import owned_location
from domain.schemas import parse_datetime
from domain.visibility import audience_of_token_holder
from tests.cpo_app.ocpi.audit.test_objects import session
from tests.cpo_app.ocpi.conftest import Face
from tests.domain.schemas.samples import cdr, evse, location, tariff, token
from tests.peers.emsp import Emsp
from tests.peers.subjects import data_of

SIZE = 300
FROM = "date_from=2020-01-01T00:00:00Z"


@pytest.fixture
def profiled(face: Face, db: Database) -> Iterator[Database]:
    """The database filled, its profiler writing down every operation from then on."""
    moment = parse_datetime(location()["last_updated"])
    holder = audience_of_token_holder(cdr()["cdr_token"])
    rows = {
        "locations": [
            owned_location(location(id=f"L{n}", evses=[evse(uid=f"E{n}")])) for n in range(SIZE)
        ],
        "tariffs": [
            OwnedObject("BE", "BEC", (f"T{n}",), tariff(id=f"T{n}"), moment) for n in range(SIZE)
        ],
        "sessions": [
            OwnedObject("BE", "BEC", (f"S{n}",), session(id=f"S{n}"), moment, holder)
            for n in range(SIZE)
        ],
        "cdrs": [
            OwnedObject("BE", "BEC", (f"C{n}",), cdr(id=f"C{n}"), moment, holder)
            for n in range(SIZE)
        ],
        "tokens": [
            OwnedObject("DE", "TNM", ("RFID", f"K{n}"), token(uid=f"K{n}"), moment, holder)
            for n in range(SIZE)
        ],
    }  # fmt: skip

    async def fill() -> None:
        for module, objects in rows.items():
            await DbInterface(db).transact(partial(face.store.objects(module).put_new, objects))
        for n in range(50):
            await face.peers.invite(f"other {n}", moment)

    async def profile(level: int) -> None:
        await db.client[db.name].command("profile", level)

    async def drop() -> None:
        await db.client[db.name].drop_collection("system.profile")

    face.loop.run(fill())
    face.loop.run(profile(2))
    yield db
    face.loop.run(profile(0))
    face.loop.run(drop())


def operations(face: Face, db: Database) -> list[dict[str, Any]]:
    async def read() -> list[dict[str, Any]]:
        query = {"ns": {"$ne": f"{db.name}.system.profile"}, "op": {"$ne": "command"}}
        aggregates = {"op": "command", "command.aggregate": {"$exists": True}}
        return await db["system.profile"].find({"$or": [query, aggregates]}).to_list(None)

    return face.loop.run(read())


def read_by(operation: dict[str, Any]) -> set[str]:
    """The collections that an operation reads or writes."""
    stages = operation.get("command", {}).get("pipeline", ())
    joined = {stage["$unionWith"]["coll"] for stage in stages if "$unionWith" in stage}
    return joined | {operation["ns"].split(".", 1)[1]}


def test_no_request_scans_a_collection(face: Face, emsp: Emsp, profiled: Database) -> None:
    peer = face.connected("DE*TNM")
    routed = {"OCPI-to-country-code": "DE", "OCPI-to-party-id": "CPO"}
    lists = ("locations", "tariffs", "sessions", "cdrs")
    for module in lists:
        for query in ("limit=5", "offset=290&limit=5", "date_to=2030-01-01T00:00:00Z&limit=5"):
            page = peer.get(
                f"{module}?{FROM}&{query}" if module == "sessions" else f"{module}?{query}"
            )
            assert len(data_of(page)) == 5
            following = page.headers["link"].split("<")[1].split(">")[0]
            data_of(peer.get(following))
        data_of(peer.get(f"{module}?{FROM}&limit=5", headers=routed))
    for path in ("locations/L7", "locations/L7/E7", "locations/L7/E7/1", "tokens/DE/TNM/K7"):
        data_of(peer.get(path))
    peer.put("tokens/DE/TNM/AbC-1", json=token())
    peer.put("tokens/DE/TNM/AbC-1", json=token(valid=False))
    peer.patch("tokens/DE/TNM/AbC-1", json={"valid": True, "last_updated": "2024-06-01T10:00:00Z"})
    info = {"party_id": "CLI", "country_code": "FR", "role": "CPO", "status": "OFFLINE",
            "last_updated": "2024-06-01T10:00:00Z"}  # fmt: skip
    hub = face.connected("NL*HUB", role="HUB")
    hub.put("hubclientinfo/FR/CLI", json=info)
    hub.get("hubclientinfo/FR/CLI")
    face.approve(hub, "FR*CLI")
    hub.get("tokens/FR/CLI/X")
    _, token_a = face.invite()
    emsp.parties = ("NL*EMP",)
    peer.token, registered = token_a, peer.token
    token_c = data_of(peer.post("credentials", json=emsp.credentials()))["token"]
    peer.token = token_c
    peer.put("credentials", json=emsp.credentials())
    peer.request("DELETE", "credentials")
    peer.token = registered

    seen = operations(face, profiled)
    collections = {name for row in seen for name in read_by(row)}
    assert collections >= {*lists, "tokens", "hubclientinfo", "counts", "peers"}
    scans = [
        (row["ns"], row.get("planSummary"), str(row.get("command"))[:300])
        for row in seen
        if "COLLSCAN" in str(row.get("planSummary"))
    ]
    assert scans == []


def test_a_caller_is_found_by_the_hash_of_its_token(face: Face, profiled: Database) -> None:
    peer = face.connected("DE*TNM")
    face.authenticator.forget()
    data_of(peer.get("locations?limit=1"))
    digest = face.peers._vault.digest(peer.token)
    (found,) = [
        row
        for row in operations(face, profiled)
        if row["op"] == "query" and digest in str(row["command"].get("filter"))
    ]
    assert found["planSummary"] == "IXSCAN { token_hashes.hash: 1 }"
    assert (found["keysExamined"], found["docsExamined"]) == (1, 1)


def test_the_next_page_reads_no_more_than_it_shows(face: Face, profiled: Database) -> None:
    peer = face.connected("DE*TNM")
    page = peer.get("cdrs?offset=280&limit=5")
    before = so_far(face, profiled)
    data_of(peer.get(page.headers["link"].split("<")[1].split(">")[0]))
    examined = [
        row["docsExamined"]
        for row in operations(face, profiled)[before:]
        if "cdrs" in read_by(row) and "docsExamined" in row
    ]
    assert examined and max(examined) <= 10


def so_far(face: Face, db: Database) -> int:
    """How many there were, once this process is no longer among the writers: as long as it is, it
    looks at the others in the background."""

    async def quiet() -> None:
        ticking = db.writers._ticking
        if ticking is not None:
            await asyncio.wait([ticking])

    face.loop.run(quiet())
    return len(operations(face, db))


def examined(face: Face, db: Database, before: int) -> dict[str, int]:
    """The most documents that one operation since then has looked at, by collection. Not this
    process's own document among the writers, which moves on with the time whoever asks meanwhile;
    a reader's look at all writers is an aggregate."""
    most: dict[str, int] = {}
    for row in operations(face, db)[before:]:
        if read_by(row) == {WRITERS} and "aggregate" not in row.get("command", {}):
            continue
        for name in read_by(row):
            most[name] = max(most.get(name, 0), row.get("docsExamined", 0))
    return most


def test_a_single_look_up_reads_a_single_document(face: Face, profiled: Database) -> None:
    peer = face.connected("DE*TNM")
    before = so_far(face, profiled)
    for path in ("locations/l299", "locations/L299/E299/1", "tokens/de/tnm/k299"):
        data_of(peer.get(path))
    assert examined(face, profiled, before) == {
        "peers": 1,
        "locations": 1,
        "tokens": 1,
        "party_claims": 1,
    }


def test_a_small_party_among_large_ones_costs_its_own_size(face: Face, profiled: Database) -> None:
    face.keep_locations(
        *(location(country_code="DE", party_id="CPO", id=f"small-{n}") for n in range(4))
    )
    peer = face.connected("DE*TNM")
    routed = {"OCPI-to-country-code": "DE", "OCPI-to-party-id": "CPO"}
    before = so_far(face, profiled)
    assert len(data_of(peer.get("locations?limit=5", headers=routed))) == 4
    assert examined(face, profiled, before)["locations"] <= 10
