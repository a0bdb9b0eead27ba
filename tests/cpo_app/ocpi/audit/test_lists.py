"""The library audit's rows about lists: paging, filters, what one bad object does."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from cpo_app.links import parse_next
from tests.domain.schemas.samples import location
from tests.peers.audit import audit
from tests.peers.subjects import PeerOf, Subject, assert_refused, data_of

HOURS = [f"2024-05-01T{hour:02}:00:00Z" for hour in range(10, 15)]


@pytest.fixture
def peer(subject: Subject) -> PeerOf:
    """A peer of a CPO with five locations, one changed in every hour from ten on."""
    subject.keep(
        "locations",
        *(location(id=f"L{index}", last_updated=at) for index, at in enumerate(HOURS)),
    )
    return subject.peer()


def ids(rows: list[dict[str, str]]) -> list[str]:
    return [row["id"].upper() for row in rows]


@audit("F001")
def test_the_link_leads_to_the_next_page_verbatim(peer: PeerOf) -> None:
    first = peer.list("locations", limit=2)
    link = parse_next(first.headers["link"])
    assert link is not None
    assert ids(data_of(first)) + ids(data_of(peer.request("GET", link))) == ["L0", "L1", "L2", "L3"]


@audit("F002")
def test_the_link_names_only_filters_that_were_asked_for(peer: PeerOf) -> None:
    link = parse_next(peer.list("locations", limit=2).headers["link"])
    assert link is not None
    query = parse_qs(urlsplit(link).query)
    assert query.keys() <= {"offset", "limit", "cursor"}
    assert (query["offset"], query["limit"]) == (["2"], ["2"])


@audit("F039")
def test_the_link_repeats_timestamps_in_ocpis_form(peer: PeerOf) -> None:
    answer = peer.list("locations", limit=2, date_from=HOURS[1], date_to="2024-05-02T00:00:00Z")
    link = parse_next(answer.headers["link"])
    assert link is not None
    query = parse_qs(urlsplit(link).query)
    assert query["date_from"] == [HOURS[1]]
    assert query["date_to"] == ["2024-05-02T00:00:00Z"]


@audit("F040")
def test_the_last_page_has_no_link_header(peer: PeerOf) -> None:
    assert "link" not in peer.list("locations").headers


@audit("F041")
def test_the_link_has_the_scheme_of_the_deployment(peer: PeerOf) -> None:
    link = parse_next(peer.list("locations", limit=2).headers["link"])
    assert link is not None
    assert urlsplit(link).scheme == "http"


@audit("F042")
@pytest.mark.parametrize("query", [{"limit": -5}, {"offset": -1}])
def test_negative_paging_is_refused(peer: PeerOf, query: dict[str, int]) -> None:
    assert_refused(peer.list("locations", **query), 2001)


@audit("F043")
def test_a_limit_of_zero_is_refused(peer: PeerOf) -> None:
    assert_refused(peer.list("locations", limit=0), 2001)


@audit("F044", "F095")
def test_x_limit_is_the_servers_maximum(peer: PeerOf) -> None:
    maximum = peer.list("locations", limit=1_000_000).headers["x-limit"]
    assert maximum == peer.list("locations", limit=1).headers["x-limit"]
    assert 1 < int(maximum) < 1_000_000


@audit("F020")
def test_one_damaged_object_does_not_spoil_the_page(subject: Subject, peer: PeerOf) -> None:
    subject.spoil("locations", "L2")
    assert ids(data_of(peer.list("locations"))) == ["L0", "L1", "L3", "L4"]


@audit("F038")
def test_a_timestamp_without_zone_is_utc(peer: PeerOf) -> None:
    answer = peer.list("locations", date_from="2024-05-01T11:00:00", date_to="2024-05-01T13:00:00")
    assert ids(data_of(answer)) == ["L1", "L2"]


@audit("F038", "F037")
@pytest.mark.parametrize("text", ["1548676800", "2024-05-01", "2024-W18-3", "yesterday"])
def test_other_forms_of_time_are_refused(peer: PeerOf, text: str) -> None:
    assert_refused(peer.list("locations", date_from=text), 2001)


@audit("F107")
def test_sessions_need_date_from(peer: PeerOf) -> None:
    assert_refused(peer.list("sessions"), 2001)
