"""Published objects in pages, as OCPI has lists, and one by one; what a stranger may ask for."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from cpo_app.front_door.kept_connections import EXTENSION
from cpo_app.open_data import strangers
from cpo_app.paging import _cursor
from db_interface.database import Database
from domain.times import format_datetime
from tests.conftest import Loop
from tests.cpo_app.open_data.test_whole_documents import Reader, ids, keep_less, reader
from tests.domain.schemas.samples import connector, evse

__all__ = ["reader"]

PAGE = "/open-data/ocpi/2.2.1/locations"


def followed(reader: Reader, path: str) -> list[list[str]]:
    """The ids on each page, by its Link."""
    pages = []
    while path:
        answer = reader.asks(path)
        assert answer.status_code == 200
        pages.append(ids(answer))
        path = answer.links.get("next", {}).get("url", "")
    return pages


def test_pages_follow_each_other(reader: Reader) -> None:
    for each in range(5):
        reader.publish_location(f"LOC{each}")
    assert followed(reader, f"{PAGE}?limit=2") == [["LOC0", "LOC1"], ["LOC2", "LOC3"], ["LOC4"]]
    first = reader.asks(f"{PAGE}?limit=2")
    assert (first.headers["x-total-count"], first.headers["x-limit"]) == ("5", "250")
    assert ids(reader.asks(f"{PAGE}?offset=3")) == ["LOC3", "LOC4"]
    assert ids(reader.asks(f"{PAGE}/?offset=30")) == []
    assert reader.asks("/open-data/ocpi/2.3.0/locations").json()["status_code"] == 1000


def test_who_asks_on_from_a_date_misses_nothing(reader: Reader) -> None:
    for each in range(4):
        reader.publish_location(f"LOC{each}")
    since = format_datetime(reader.db.now() - timedelta(hours=1))
    first = reader.asks(f"{PAGE}?limit=2&date_from={since}")
    assert ids(first) == ["LOC0", "LOC1"]
    # Both are the next pull's: neither is shown later than one that is not shown.
    reader.publish_location("LOC1", city="Brugge")
    reader.publish_location("LOC3", city="Brugge")
    second = reader.asks(first.links["next"]["url"])
    assert (ids(second), second.headers["x-total-count"]) == (["LOC2"], "4")
    newest = max(one["last_updated"] for one in (*first.json()["data"], *second.json()["data"]))
    assert set(ids(reader.asks(f"{PAGE}?date_from={newest}"))) >= {"LOC1", "LOC3"}


@pytest.fixture
def crowded(reader: Reader) -> Reader:
    """Of more locations than may be kept."""
    keep_less(reader)
    return reader


def test_more_than_can_be_kept_are_there_in_pages_and_one_by_one(crowded: Reader) -> None:
    reader = crowded
    named = evse(connectors=[connector(tariff_ids=["AdHoc"])])
    for each in range(5):
        reader.publish_location(f"LOC{each}", evses=[named])
    reader.publish_location("HIDDEN", private=True)
    reader.publish_location("OTHERS", party_id="OTH")
    for path in (PAGE, "/open-data/ocpi/2.3.0/locations"):
        pages = followed(reader, f"{path}?limit=2")
        assert pages == [["LOC0", "LOC1"], ["LOC2", "LOC3"], ["LOC4"]]
    first = reader.asks(f"{PAGE}?limit=2")
    assert first.headers["x-total-count"] == "5"
    again = reader.asks(f"{PAGE}?limit=2", If_None_Match=first.headers["etag"])
    assert again.status_code == 304
    assert ids(reader.asks(f"{PAGE}?offset=3")) == ["LOC3", "LOC4"]
    assert reader.asks(f"{PAGE}/loc1").json()["data"]["id"] == "LOC1"
    for hidden in ("HIDDEN", "OTHERS", "NONE"):
        assert reader.asks(f"{PAGE}/{hidden}").status_code == 404


def test_pages_by_date_of_more_than_can_be_kept_are_all_as_of_the_first(crowded: Reader) -> None:
    for each in range(4):
        crowded.publish_location(f"LOC{each}", city="Gent")
    since = format_datetime(crowded.db.now() - timedelta(hours=1))
    first = crowded.asks(f"{PAGE}?limit=2&date_from={since}")
    crowded.publish_location("LOC3", city="Brugge")
    second = crowded.asks(first.links["next"]["url"])
    assert (ids(first), ids(second)) == (["LOC0", "LOC1"], ["LOC2", "LOC3"])
    assert {one["city"] for one in second.json()["data"]} == {"Gent"}
    newest = max(one["last_updated"] for one in (*first.json()["data"], *second.json()["data"]))
    news = crowded.asks(f"{PAGE}?date_from={newest}").json()["data"]
    assert [one["city"] for one in news if one["id"] == "LOC3"] == ["Brugge"]


def test_of_too_many_locations_every_ad_hoc_tariff_is_shown(reader: Reader) -> None:
    """Which of them are named by a location, nobody knows then."""
    reader.publish_location("LOC1")
    reader.publish_tariff("AdHoc", type="AD_HOC_PAYMENT")
    reader.publish_tariff("Card", type="REGULAR")
    tariffs = "/open-data/ocpi/2.2.1/tariffs"
    assert ids(reader.asks(tariffs)) == []
    reader.room._ocpi._versions[0].locations._max_bytes = 10
    reader.publish_location("LOC2")
    assert ids(reader.asks(tariffs)) == ["AdHoc"]
    assert ids(reader.asks(f"{tariffs}.json")) == ["AdHoc"]


def test_a_later_page_is_not_read_of_an_older_state(
    reader: Reader, db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in range(3):
        reader.publish_location(f"LOC{each}")
    other = Reader(db, loop)  # a second process, which looks seldom
    other.asks(PAGE)
    reader.publish_location("LOC2", city="Brugge")
    since = format_datetime(reader.db.now() - timedelta(hours=1))
    following = reader.asks(f"{PAGE}?limit=2&date_from={since}").links["next"]["url"]
    document = other.room._ocpi._versions[0].locations
    monkeypatch.setattr(document, "_look_every_s", 600)
    monkeypatch.setattr(document, "_look_after", float("inf"))
    monkeypatch.setattr("domain.open_data.kept_document.WAIT_S", 0)
    assert other.asks(following).status_code == 503
    monkeypatch.setattr(document, "_look_after", 0)
    assert [one["city"] for one in other.asks(following).json()["data"]] == ["Brugge"]
    ahead = _cursor(1, reader.db.now() + timedelta(hours=1), 3)
    assert other.asks(f"{PAGE}?date_from={since}&cursor={ahead}").status_code == 400


@pytest.mark.parametrize("query", ["limit=0", "offset=-1", "date_from=now", "cursor=x"])
def test_bad_parameters_are_said_so(reader: Reader, query: str) -> None:
    answer = reader.asks(f"{PAGE}?{query}")
    assert answer.status_code == 400
    assert query.split("=")[0] in answer.json()["detail"]


def test_one_location_and_one_tariff(reader: Reader) -> None:
    named = evse(connectors=[connector(tariff_ids=["AdHoc", "Card"])])
    reader.publish_location("LOC1", evses=[named])
    reader.publish_location("HIDDEN", private=True)
    reader.publish_tariff("AdHoc", type="AD_HOC_PAYMENT")
    reader.publish_tariff("Card", type="REGULAR")
    found = reader.asks(f"{PAGE}/loc1")
    assert (found.status_code, found.json()["data"]["id"]) == (200, "LOC1")
    again = reader.asks(f"{PAGE}/loc1", If_None_Match=found.headers["etag"])
    assert again.status_code == 304
    tariffs = "/open-data/ocpi/2.2.1/tariffs"
    assert reader.asks(f"{tariffs}/AdHoc").json()["data"]["id"] == "AdHoc"
    for path in (f"{PAGE}/HIDDEN", f"{PAGE}/NONE", f"{tariffs}/Card"):
        assert reader.asks(path).status_code == 404
    assert ids(reader.asks(tariffs)) == ["AdHoc"]


def test_a_page_that_somebody_has_is_not_sent_again(reader: Reader) -> None:
    for each in range(20):
        reader.publish_location(f"LOC{each}")
    first = reader.asks(PAGE)
    assert first.headers["content-encoding"] == "gzip"
    known = first.headers["etag"]
    assert reader.asks(PAGE, If_None_Match=known).status_code == 304
    assert reader.asks(f"{PAGE}?limit=7", If_None_Match=known).status_code == 200
    reader.publish_location("LOC3", city="Brugge")
    assert reader.asks(PAGE, If_None_Match=known).status_code == 200


def test_the_contents_name_every_document(reader: Reader) -> None:
    reader.publish_location("LOC1", evses=[evse()])
    contents = reader.asks("/open-data").json()
    for document in contents["documents"]:
        path = httpx.URL(document["url"]).path
        assert reader.asks(path).status_code == 200
    assert len(contents["documents"]) >= 8


def test_an_address_has_so_many_requests_a_minute(db: Database, loop: Loop) -> None:
    reader = Reader(db, loop, CPO_OPEN_DATA_REQUESTS_PER_MINUTE=3)
    answers = [reader.asks(PAGE) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[3].headers["retry-after"]) > 0
    assert answers[3].headers["access-control-allow-origin"] == "*"


def test_who_does_not_read_on_is_cut_off(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cpo_app.open_data.room.MAX_DOWNLOAD_S", 0.01)

    async def never(_message: object) -> None:
        await asyncio.Event().wait()

    async def nothing() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    closed: list[str] = []
    door = {EXTENSION: {"let_go": lambda: closed.append("closed")}}
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"{PAGE}.json",
        "query_string": b"",
        "headers": [],
        "client": ("192.0.2.1", 1),
        "extensions": door,
    }
    for _ in range(strangers.AT_ONCE + 1):  # each gives its place back
        reader.loop.run(reader.room(scope, nothing, never))
    assert closed == ["closed"] * (strangers.AT_ONCE + 1)
