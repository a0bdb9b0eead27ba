"""Lists of our own face: order, cursor, filters, and a crawl while everything changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpo_app.links import parse_next
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject
from domain.objects.locations import owned_location
from tests.cpo_app.ocpi.conftest import Face, MakeFace, PeerSide
from tests.domain.schemas.samples import location, tariff
from tests.drawn import drawn
from tests.one_database import emptied
from tests.peers.subjects import assert_refused, data_of

DAY = "2024-05-{:02}T00:00:00Z"


def ids(response: httpx.Response) -> list[str]:
    return [row["id"] for row in data_of(response)]


def pages(peer: PeerSide, path: str) -> Iterator[httpx.Response]:
    """Page after page, each Link taken verbatim."""
    url: str | None = path
    while url is not None:
        page = peer.get(url)
        yield page
        url = parse_next(page.headers.get("link"))


@pytest.fixture
def filled(face: Face, peer: PeerSide) -> PeerSide:
    """Seven locations, created in this order, changed on the 7th, 6th, ... of May."""
    face.keep_locations(*(location(id=f"L{n}", last_updated=DAY.format(7 - n)) for n in range(7)))
    return peer


def test_the_order_is_that_of_creation(face: Face, filled: PeerSide) -> None:
    face.keep_locations(location(id="L3", city="Brugge", last_updated=DAY.format(20)))
    assert ids(filled.get("locations")) == [f"L{n}" for n in range(7)]


def test_a_crawl_by_links_gives_each_object_once(filled: PeerSide) -> None:
    crawl = list(pages(filled, "locations?limit=3"))
    assert [ids(page) for page in crawl] == [["L0", "L1", "L2"], ["L3", "L4", "L5"], ["L6"]]
    assert [page.headers["x-total-count"] for page in crawl] == ["7"] * 3
    assert "link" not in crawl[-1].headers


def test_a_full_last_page_has_no_link(filled: PeerSide) -> None:
    assert [ids(page) for page in pages(filled, "locations?limit=7")] == [
        [f"L{n}" for n in range(7)]
    ]


def test_offset_works_without_the_cursor(filled: PeerSide) -> None:
    page = filled.get("locations?offset=5&limit=1")
    assert ids(page) == ["L5"]
    assert ids(filled.get("locations?offset=7")) == []
    assert filled.get("locations?offset=7").headers["x-total-count"] == "7"


def test_date_from_is_inclusive_and_date_to_exclusive(filled: PeerSide) -> None:
    page = filled.get(f"locations?date_from={DAY.format(3)}&date_to={DAY.format(5)}")
    assert ids(page) == ["L3", "L4"]
    assert page.headers["x-total-count"] == "2"


def test_a_pull_by_date_is_counted_once(filled: PeerSide, monkeypatch: pytest.MonkeyPatch) -> None:
    first = filled.get(f"locations?date_from={DAY.format(1)}&limit=3")

    def refused(*_: object) -> None:
        raise AssertionError("counted again")

    monkeypatch.setattr("db_interface.pages.numbers_of", refused)
    link = parse_next(first.headers["link"])
    assert link is not None
    later = list(pages(filled, link))
    assert [ids(page) for page in later] == [["L3", "L4", "L5"], ["L6"]]
    assert [page.headers["x-total-count"] for page in (first, *later)] == ["7"] * 3


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-06T00:00:00Z",
        "2024-05-06T00:00:00",
        "2024-05-06T00:00:00.000Z",
        "2024-05-06T02:00:00%2B02:00",
        "2024-05-06T02:00:00+02:00",
        "2024-05-05T20:00:00-04:00",
    ],
)
def test_a_moment_may_be_written_in_several_ways(filled: PeerSide, text: str) -> None:
    found = [ids(page) for page in pages(filled, f"locations?date_from={text}&limit=1")]
    assert found == [["L0"], ["L1"]]


@pytest.mark.parametrize(
    "query",
    [
        "date_to=9999-12-31T23:59:59.999999Z",
        "date_from=0001-01-01T00:00:00Z",
        f"date_from={DAY.format(1)}&date_to=9999-12-31T23:59:59Z",
    ],
)
def test_the_ends_of_time_are_no_error(filled: PeerSide, query: str) -> None:
    assert len(ids(filled.get(f"locations?{query}"))) == 7


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("offset=-1", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("date_from=2024-05-01", "date_from"),
        ("date_to=1714557600", "date_to"),
        ("date_from=", "date_from"),
        (f"date_from={DAY.format(2)}&date_to={DAY.format(1)}", "date_to"),
        ("cursor=%00", "cursor"),
        ("cursor=zzzz", "cursor"),
    ],
)
def test_a_bad_parameter_is_named(filled: PeerSide, query: str, named: str) -> None:
    refused = filled.get(f"locations?{query}")
    assert_refused(refused, 2001)
    assert refused.json()["status_message"].startswith(f"{named}: ")


def test_the_caps_are_settings_and_a_quirk(make_face: MakeFace) -> None:
    face = make_face(CPO_PAGE_LIMIT=2, CPO_PAGE_LIMIT_MAX=3)
    peer = face.connected("DE*TNM")
    face.keep_locations(*(location(id=f"L{n}") for n in range(5)))
    assert len(ids(peer.get("locations"))) == 2
    capped = peer.get("locations?limit=1000")
    assert (len(ids(capped)), capped.headers["x-limit"]) == (3, "3")

    async def narrow() -> None:
        now = (await face.peers.get(peer.peer_id)).document["created"]
        await face.peers.set(peer.peer_id, now, quirks={"page_size": 1})

    face.loop.run(narrow())
    face.authenticator.forget()
    capped = peer.get("locations?limit=1000")
    assert (len(ids(capped)), capped.headers["x-limit"]) == (1, "1")


@pytest.mark.parametrize(
    "damage",
    [
        {"$unset": {"raw": ""}},
        {"$set": {"raw": "text"}},
        {"$set": {"raw": b""}},
        {"$set": {"raw": b'{"cut": "of'}},
        {"$unset": {"raw": "", "seq": "", "fields": "", "last_updated": ""}},
    ],
)
def test_a_damaged_object_spoils_no_page(
    face: Face, filled: PeerSide, db: Database, damage: dict[str, Any]
) -> None:
    async def spoil() -> None:
        await db["locations"].update_one({"lid": "l2"}, damage)

    face.loop.run(spoil())
    crawled = [found for page in pages(filled, "locations?limit=2") for found in ids(page)]
    assert sorted(crawled) == [f"L{n}" for n in (0, 1, 3, 4, 5, 6)]
    assert_refused(filled.get("locations/L2"), 2003, 404)


def test_all_sender_modules_are_paged_alike(face: Face, peer: PeerSide) -> None:
    face.keep(
        "tariffs",
        *(
            OwnedObject("BE", "BEC", (f"T{n}",), tariff(id=f"T{n}"), owned_location(
                location()).last_updated)
            for n in range(3)
        ),
    )  # fmt: skip
    assert [ids(page) for page in pages(peer, "tariffs?limit=2")] == [["T0", "T1"], ["T2"]]
    for module in ("sessions", "cdrs"):
        page = peer.get(f"{module}?date_from={DAY.format(1)}")
        assert (data_of(page), page.headers["x-total-count"]) == ([], "0")


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["change", "create", "remove"]), st.integers(0, 9)), max_size=3
)


@given(count=st.integers(0, 9), limit=st.integers(1, 4), script=st.lists(ACTIONS, max_size=5))
@settings(
    max_examples=drawn(15),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_crawl_misses_nothing_and_repeats_nothing_while_objects_change(
    face: Face, db: Database, count: int, limit: int, script: list[list[tuple[str, int]]]
) -> None:
    """Whatever happens at the page boundaries: what existed throughout comes exactly once."""
    emptied(db)
    face.authenticator.forget()
    peer = face.connected("DE*TNM")
    objects = face.store.objects("locations")

    async def fill() -> None:
        first = [owned_location(location(id=f"L{n}")) for n in range(count)]
        await DbInterface(db).transact(lambda tx: objects.put_new(first, tx))

    face.loop.run(fill())
    throughout = {f"L{n}" for n in range(count)}
    steps = iter(script)
    seen: list[str] = []
    for page in pages(peer, f"locations?limit={limit}"):
        seen += ids(page)
        for action, n in next(steps, []):
            if action == "remove":
                face.loop.run(face.store.delete("locations", f"be/bec/l{n}"))
                throughout.discard(f"L{n}")
            else:
                new = f"new-{len(seen)}-{n}" if action == "create" else f"L{n}"
                city = f"Gent {len(seen)}"
                if action == "create" or f"L{n}" in throughout:
                    face.keep_locations(location(id=new, city=city))
    assert len(seen) == len(set(seen))
    assert throughout <= set(seen)
