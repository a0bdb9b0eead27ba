"""Whole documents over HTTP: compressed or not, asked for again, by whatever method."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest

from cpo_app.open_data.room import OpenData
from db_interface.database import Database
from db_interface.json_data import JsonObject
from tests.conftest import Loop
from tests.domain.open_data.test_kept_document import World
from tests.settings_of import settings_of

LOCATIONS = "/open-data/ocpi/2.2.1/locations.json"


class Reader(World):
    """A stranger."""

    def __init__(self, db: Database, loop: Loop, **settings: object) -> None:
        super().__init__(db, loop)
        given = {"COUNTRY_CODE": "NL", "PARTY_ID": "EVC", "CPO_OPEN_DATA": True, **settings}
        self.room = OpenData(settings_of(**given), self.store, look_every_s=0)

    def asks(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.room)  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url="http://cpo") as http:
                wanted = {name.replace("_", "-"): value for name, value in headers.items()}
                return await http.request(method, path, headers=wanted)

        return self.loop.run(answer())


@pytest.fixture
def reader(db: Database, loop: Loop) -> Reader:
    return Reader(db, loop)


def ids(answer: httpx.Response) -> list[str]:
    read: JsonObject = answer.json()
    return [one["id"] for one in read["data"]]


@pytest.mark.parametrize("number", ["2.2.1", "2.3.0"])
@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_all_published_locations_in_one_file(reader: Reader, number: str, coding: str) -> None:
    for each in range(3):
        reader.publish_location(f"LOC{each}")
    answer = reader.asks(f"/open-data/ocpi/{number}/locations.json", Accept_Encoding=coding)
    assert (answer.status_code, ids(answer)) == (200, ["LOC0", "LOC1", "LOC2"])
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers.get("content-encoding", "identity") == coding
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"].startswith("public, max-age=")


def test_there_may_be_none(reader: Reader) -> None:
    assert ids(reader.asks(LOCATIONS)) == []
    assert ids(reader.asks("/open-data/ocpi/2.3.0/tariffs.json")) == []


def test_who_has_it_is_told_so(reader: Reader) -> None:
    reader.publish_location("LOC1")
    first = reader.asks(LOCATIONS)
    tag, date = first.headers["etag"], first.headers["last-modified"]
    for known in ({"If_None_Match": tag}, {"If_None_Match": f'"x", {tag.removeprefix("W/")}'}):
        again = reader.asks(LOCATIONS, **known)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert reader.asks(LOCATIONS, If_Modified_Since=date).status_code == 304
    assert reader.asks(LOCATIONS, If_None_Match='"x"', If_Modified_Since=date).status_code == 200
    assert reader.asks(LOCATIONS, If_Modified_Since="yesterday").status_code == 200

    reader.publish_location("LOC2")
    changed = reader.asks(LOCATIONS, If_None_Match=tag)
    assert (changed.status_code, ids(changed)) == (200, ["LOC1", "LOC2"])
    assert changed.headers["etag"] != tag


def test_head_and_preflight_and_what_writes(reader: Reader) -> None:
    reader.publish_location("LOC1")
    whole, head = reader.asks(LOCATIONS), reader.asks(LOCATIONS, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == whole.headers["etag"]
    assert head.headers["content-length"] == whole.headers["content-length"]
    preflight = reader.asks(LOCATIONS, "OPTIONS")
    assert preflight.status_code == 204
    assert "If-None-Match" in preflight.headers["access-control-allow-headers"]
    assert reader.asks(LOCATIONS, "PUT").status_code == 405
    missing = reader.asks("/open-data/ocpi/2.1.1/locations.json")
    assert (missing.status_code, missing.json()["error"]) == (404, "not_found")


def test_what_is_sent_is_a_gzip_file(reader: Reader) -> None:
    reader.publish_location("LOC1")

    async def raw() -> bytes:
        transport = httpx.ASGITransport(app=reader.room)  # type: ignore[arg-type]
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://cpo") as http,
            http.stream("GET", LOCATIONS) as answer,
        ):
            return b"".join([piece async for piece in answer.aiter_raw()])

    sent = reader.loop.run(raw())
    assert [one["id"] for one in json.loads(gzip.decompress(sent))["data"]] == ["LOC1"]


def test_the_operator_names_the_parties(db: Database, loop: Loop) -> None:
    parties = {"CPO_PARTIES": "NL/EVC=One, NL/OTH=Other"}
    both = Reader(db, loop, **parties)
    both.publish_location("LOC1")
    both.publish_location("LOC2", party_id="OTH")
    assert ids(both.asks(LOCATIONS)) == ["LOC1", "LOC2"]
    one = Reader(db, loop, **parties, CPO_OPEN_DATA_PARTIES="NL/OTH")
    assert ids(one.asks(LOCATIONS)) == ["LOC2"]


def keep_less(reader: Reader) -> None:
    """No document fits: the setting's smallest is a megabyte."""
    for one in reader.room._ocpi._versions:
        one.locations._max_bytes = one.tariffs._max_bytes = 10
    for document in reader.room._datex._documents.named.values():
        document._max_bytes = 10


def test_what_is_too_large_is_said_so_and_where_the_pages_are(reader: Reader) -> None:
    keep_less(reader)
    reader.publish_location("LOC1")
    for path in (LOCATIONS, "/open-data/datex/v3/table.xml", LOCATIONS):
        answer = reader.asks(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "600")
        assert "CPO_OPEN_DATA_MAX_MB" in answer.json()["detail"]
    pages = answer.json()["detail"].rpartition(" ")[2]
    assert ids(reader.asks(httpx.URL(pages).path)) == ["LOC1"]
