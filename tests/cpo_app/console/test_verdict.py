"""The verdict: red calls for a hand, grey is planned or over; thousand alike are one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from cpo_app.console.verdict import Facts, matter_href, verdict
from domain.notices.matters import Matter
from domain.operator.money import MoneyCounts
from domain.operator.peers import PeerRow

NOON = datetime(2025, 6, 1, 12, tzinfo=timezone.utc)
QUIET = Facts(
    statuses={"AVAILABLE": 10},
    never_seen=0,
    unaccounted=0,
    peers=(),
    lost_results={},
    telemetry_late=timedelta(seconds=2),
    money=MoneyCounts({"held": 0, "dead letter": 0}, 0.0),
    cdrs_at_peers={"p": 0},
    findings=0,
    held_back=0,
    open=(),
    over=0,
)


def peer(**facts: Any) -> PeerRow:
    empty: dict[str, Any] = dict.fromkeys(PeerRow.__dataclass_fields__)
    empty |= {"id": "p 1", "name": "Driver & Co", "status": "connected", "alarms": []}
    return PeerRow(**{**empty, "recovered": False, **facts})


def matter(kind: str, subject: str | None = None, said: str = "it is so") -> Matter:
    return {
        "_id": kind,
        "kind": kind,
        "subject": subject,
        "place": None,
        "open": True,
        "opened": NOON,
        "said": said,
        "do": "",
        "number": 1,
        "told_number": 1,
        "flaps": 0,
    }


def lines(**facts: Any) -> tuple[Sequence[tuple[str, str]], Sequence[tuple[str, str]]]:
    found = verdict(replace(QUIET, **facts))
    red = [(line.said, line.href) for line in found.red]
    return red, [(line.said, line.href) for line in found.grey]


def test_where_nothing_is_wrong_nothing_is_said() -> None:
    assert lines() == ([], [])


def test_a_fleet_that_is_silent_is_one_line_and_who_never_came_is_no_trouble() -> None:
    red, grey = lines(statuses={"UNKNOWN": 1970, "OUTOFORDER": 1}, never_seen=970)
    assert red == [
        ("1 charge point out of order", "/console/charge-points?status=OUTOFORDER"),
        ("1\u202f000 charge points silent", "/console/charge-points?status=UNKNOWN"),
    ]
    assert grey == [("970 charge points have never come", "/console/charge-points?status=UNKNOWN")]


def test_kafka_that_takes_nothing_calls_for_a_hand() -> None:
    red, grey = lines(events="Kafka takes no events: refused")
    assert (red, grey) == ([("Kafka takes no events: refused", "/console/kafka")], [])


def test_what_was_planned_is_grey() -> None:
    red, grey = lines(
        statuses={"INOPERATIVE": 2},
        peers=[peer(status="suspended")],
        held_back=1,
        incomplete=12,
        over=3,
    )
    assert red == []
    assert [said for said, _ in grey] == [
        "2 charge points out of service",
        "1 charge point not offered over OCPI",
        "12 published EVSEs lack what the law wants known (AFIR)",
        "1 peer suspended",
        "3 troubles are over since yesterday",
    ]


def test_a_push_that_fails_is_red_and_one_that_works_again_is_grey() -> None:
    failing = lines(peers=[peer(alarms=["push fails: HTTP 500"])])
    assert failing == (
        [("peer Driver & Co: push fails: HTTP 500", "/console/peers/p%201")],
        [],
    )
    many, _ = lines(peers=[peer(alarms=["push fails"])] * 3)
    assert many == [("3 peers in trouble", "#peers")]
    assert lines(peers=[peer(recovered=True)]) == (
        [],
        [("1 peer has recovered", "/console/peers/p%201")],
    )


@pytest.mark.parametrize(
    ("facts", "said", "href"),
    [
        (
            {"lost_results": {"p1": 2}},
            "2 results of commands not delivered",
            "/console/commands?state=UNDELIVERED",
        ),
        ({"telemetry_late": timedelta(minutes=2)}, "telemetry comes 2 min late", "#running"),
        (
            {"money": MoneyCounts({"without CDR": 1}, 0.0)},
            "1 session ended without a bill",
            "/console/money",
        ),
        (
            {"cdrs_at_peers": {"p": 3}},
            "3 CDRs have not arrived as they are",
            "/console/reconciliation",
        ),
        ({"findings": 1}, "1 register does not add up", "/console/reconciliation"),
        ({"unaccounted": 1}, "energy without a session at 1 charge point", "#unaccounted"),
        (
            {"open": [matter("disk_low", "x", "the disk is full")]},
            "the disk is full",
            "/console/notices",
        ),
        (
            {"open": [matter("api_key_ends", str(n)) for n in range(3)]},
            "3 API keys end soon",
            "/console/notices",
        ),
    ],
)
def test_each_leads_to_where_it_is_found(facts: dict[str, Any], said: str, href: str) -> None:
    assert lines(**facts) == ([(said, href)], [])


@pytest.mark.parametrize(
    ("kind", "subject", "href"),
    [
        ("charge_point_silent", "CP 1", "/console/charge-points/CP%201"),
        ("charge_point_silent", None, "/console/charge-points?status=UNKNOWN"),
        ("peer_behind", "p1", "/console/peers/p1"),
        ("session_held", "s1", "/console/sessions/s1"),
        ("session_held", None, "/console/money"),
        ("dead_letter", "d1", "/console/money"),
        ("disk_low", "the store", "/console/notices"),
        ("of another version", "x", "/console/notices"),
    ],
)
def test_a_notice_leads_to_what_it_is_about(kind: str, subject: str | None, href: str) -> None:
    assert matter_href(matter(kind, subject)) == href
