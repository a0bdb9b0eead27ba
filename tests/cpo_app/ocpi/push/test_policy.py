"""The pure parts: what has changed, when to try again, whose fault it is, where it goes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from cpo_app.ocpi.peer_client.peer_answer import PeerUnusable
from cpo_app.ocpi.peer_client.peer_headers import RoutingHeaders
from cpo_app.ocpi.push.addressing import object_url, routing
from cpo_app.ocpi.push.breaker import MAX_DURATION_S, Breaker
from cpo_app.ocpi.push.failures import judged
from cpo_app.ocpi.push.requests import removal
from domain.outbox.due_marks import Mark, Present
from domain.outbox.mark_parts import changed_parts
from domain.peers.peer import Peer
from domain.times import parse_datetime
from tests.cpo_app.ocpi.push.objects import evse, location

AT = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)
LATER = "2024-05-01T11:00:00Z"


def moved(**fields: Any) -> dict[str, Any]:
    return location("L", at=LATER, **fields)


@pytest.mark.parametrize(
    ("after", "parts"),
    [
        (moved(evses=[evse("E1"), evse("E2", "CHARGING", LATER)]), ("evse:E2",)),
        (moved(evses=[evse("E1", "BLOCKED"), evse("E2", "CHARGING")]), ("evse:E1", "evse:E2")),
        (moved(evses=[evse("E1"), evse("E2")]), None),  # only the location itself has moved
        (moved(name="There", evses=[evse("E1"), evse("E2", "CHARGING")]), None),
        (moved(evses=[evse("E1")]), None),
        (moved(evses=[evse("E1"), evse("E3")]), None),
        (moved(evses=[evse("E1"), {**evse("E2"), "floor_level": "1"}]), None),
    ],
)
def test_parts_of_a_location(after: dict[str, Any], parts: tuple[str, ...] | None) -> None:
    assert changed_parts("locations", location("L"), after) == parts


def test_many_changed_evses_go_in_one_location() -> None:
    before = location("L", evses=[evse(f"E{n}") for n in range(5)])
    after = location("L", evses=[evse(f"E{n}", "CHARGING") for n in range(5)])
    assert changed_parts("locations", before, after) is None


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"kwh": 2}, ("field:kwh",)),
        ({"kwh": 2, "total_cost": 1}, ("field:kwh", "field:total_cost")),
        ({"status": "COMPLETED"}, None),
        ({"kwh": 2, "charging_periods": [1]}, None),  # a PATCH would append them
    ],
)
def test_parts_of_a_session(changes: dict[str, Any], parts: tuple[str, ...] | None) -> None:
    before = {"id": "S", "kwh": 1, "status": "ACTIVE", "charging_periods": []}
    assert changed_parts("sessions", before, {**before, **changes}) == parts


def test_tariffs_have_no_parts() -> None:
    assert changed_parts("tariffs", {"id": "T", "price": 1}, {"id": "T", "price": 2}) is None


def test_the_breaker_opens_waits_and_closes() -> None:
    breaker = Breaker()
    assert breaker.closed and breaker.admits(AT)
    breaker.failed(AT, "gone")
    assert not breaker.closed and not breaker.admits(AT)
    assert breaker.admits(AT + timedelta(seconds=1))
    again = Breaker.of(breaker.facts())
    assert again == breaker
    again.succeeded()
    assert again.closed and again.admits(AT)


def test_the_breaker_never_waits_less_than_the_peer_asks_for() -> None:
    breaker = Breaker()
    breaker.failed(AT, "busy", retry_after_s=600)
    assert not breaker.admits(AT + timedelta(seconds=599))
    breaker.failed(AT, "gone")
    for _ in range(50):
        breaker.failed(AT, "gone")
    assert breaker.admits(AT + timedelta(seconds=MAX_DURATION_S))


def error(kind: Any = "http_status", **facts: Any) -> PeerUnusable:
    return PeerUnusable("it failed", kind, sent=None, **facts)


@pytest.mark.parametrize(
    ("failed", "peer", "suspicious"),
    [
        (error("timeout"), True, False),
        (error("unreachable"), True, False),
        (error("broken_answer"), True, False),
        (error(http_status=429), True, False),
        (error(http_status=503), True, False),
        (error(http_status=401), True, False),
        (error(http_status=500), False, True),
        (error(http_status=404), False, True),
        (error(http_status=404, ocpi_status_code=2003), False, False),
        (error("ocpi_status", http_status=200, ocpi_status_code=2001), False, False),
        (error("ocpi_status", http_status=200, ocpi_status_code=3000), False, False),
        (error("not_json", http_status=200), False, True),
    ],
)
def test_whose_fault_it_is(failed: PeerUnusable, peer: bool, suspicious: bool) -> None:
    failure = judged(failed)
    assert (failure.peer, failure.suspicious) == (peer, suspicious)


def test_the_peers_words_reach_the_operator() -> None:
    refused = PeerUnusable(
        "the peer answered OCPI status 2001",
        "ocpi_status",
        sent=True,
        ocpi_status_code=2001,
        status_message="evses[0].uid too long",
    )
    assert judged(refused).text == "the peer answered OCPI status 2001: evses[0].uid too long"


def test_urls_take_any_id() -> None:
    assert object_url("https://a.example/x/", "NL", "EVC", "ü/%") == (
        "https://a.example/x/NL/EVC/%C3%BC%2F%25"
    )


def peer(*roles: tuple[str, str, str]) -> Peer:
    return Peer(
        "p",
        "P",
        "connected",
        roles=[{"role": role, "country_code": cc, "party_id": pid} for role, cc, pid in roles],
    )


@pytest.mark.parametrize(
    ("roles", "module", "audience", "to"),
    [
        ([("EMSP", "DE", "TNM")], "locations", "*", ("DE", "TNM")),
        ([("EMSP", "DE", "TNM"), ("CPO", "DE", "TNC")], "tariffs", "*", ("DE", "TNM")),
        ([("EMSP", "DE", "TNM"), ("CPO", "DE", "TNM")], "locations", "*", ("DE", "TNM")),
        ([("EMSP", "DE", "TNM"), ("EMSP", "DE", "TNX")], "locations", "*", None),
        ([("EMSP", "DE", "TNM"), ("EMSP", "DE", "TNX")], "sessions", "de*tnx", ("DE", "TNX")),
        ([("HUB", "DE", "HUB"), ("EMSP", "DE", "TNX")], "locations", "*", ("DE", "HUB")),
        ([("HUB", "DE", "HUB"), ("EMSP", "DE", "TNX")], "cdrs", "de*tnx", ("DE", "TNX")),
    ],
)
def test_whom_it_is_for(
    roles: list[tuple[str, str, str]], module: str, audience: str, to: tuple[str, str] | None
) -> None:
    headers = routing(peer(*roles), module, audience, ("NL", "EVC"))
    assert headers == RoutingHeaders("NL", "EVC", *(to or (None, None)))


@pytest.mark.parametrize(
    ("last_seen", "taken_away", "sent"),
    [
        ("2024-05-01T10:00:00Z", 500, "2024-05-01T10:00:00.500Z"),
        ("2024-05-01T10:00:00.500Z", 900, "2024-05-01T10:00:00.900Z"),
        ("2024-05-01T10:00:00.250Z", 0, "2024-05-01T10:00:00.251Z"),
        ("2024-05-01T10:00:01Z", 999, "2024-05-01T10:00:01.001Z"),
    ],
)
def test_a_location_taken_away_bears_a_newer_date_than_the_peer_has(
    last_seen: str, taken_away: int, sent: str
) -> None:
    """A receiver may ignore a state that does not claim to be newer."""
    at = datetime(2024, 5, 1, 10, 0, 0, taken_away * 1000, tzinfo=timezone.utc)
    gone = location("L", at=last_seen)
    mark = Mark("m", "p", "locations", "L", "v", at, at, True, (), True, 0, None)

    request = removal("https://emsp/locations", mark, Present(orjson.dumps(gone), "", gone))

    assert request is not None and request.body is not None
    pushed = orjson.loads(request.body)
    assert pushed["last_updated"] == sent
    assert {part["last_updated"] for part in pushed["evses"]} == {sent}
    assert parse_datetime(sent) > parse_datetime(last_seen)
