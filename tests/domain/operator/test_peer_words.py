"""A peer's state as an operator would say it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from domain.operator.peer_details import Waiting, modules_of
from domain.operator.peer_words import backlog_in_words, granted_in_words, quirks_in_words
from domain.operator.push_states import PushState
from domain.peers.peer import DEFAULT_QUIRKS
from domain.peers.terms import Terms

NOW = datetime(2026, 5, 1, 14, 30, tzinfo=timezone.utc)
SINCE = NOW.replace(hour=14, minute=2, second=11)


def push(failures: int = 0, reason: str | None = None, next_s: int | None = None) -> PushState:
    next_try = None if next_s is None else NOW + timedelta(seconds=next_s)
    return PushState(0, False, None, failures, reason, next_try, None, None)


@pytest.mark.parametrize(
    ("status", "state", "waiting", "said"),
    [
        (
            "connected",
            push(3, "HTTP 503", 40),
            [Waiting("sessions", 37, SINCE), Waiting("cdrs", 1, NOW)],
            "37 sessions and 1 CDR wait, the oldest since 14:02:11 UTC. It has not taken what was "
            "sent, 3 times in a row; the last answer: HTTP 503. Next try in 40 s.",
        ),
        (
            "connected",
            push(1, None, -5),
            [Waiting("tariffs", 1, SINCE - timedelta(days=1))],
            "1 tariff waits, the oldest since 2026-04-30 14:02 UTC. It has not taken what was "
            "sent, once. It is being tried again now.",
        ),
        (
            "connected",
            push(),
            [],
            "Nothing waits: it has the present state of all that it may see.",
        ),
        (
            "suspended",
            push(),
            [Waiting("locations", 2, SINCE)],
            "2 locations wait, the oldest since 14:02:11 UTC. It is suspended: nothing is tried "
            "until you resume it.",
        ),
        ("invited", push(), [], "Nothing is pushed to it while it is invited."),
    ],
)
def test_what_waits_and_why(
    status: str, state: PushState, waiting: list[Waiting], said: str
) -> None:
    assert " ".join(backlog_in_words(status, state, waiting, NOW, counted_all=True)) == said


def test_of_very_much_it_is_said_that_there_is_more() -> None:
    waiting = [Waiting("sessions", 2000, SINCE)]
    (said,) = backlog_in_words("connected", push(), waiting, NOW, counted_all=False)
    assert said.startswith("2000 sessions, and more wait, ")


def test_every_quirk_has_words_and_the_way_out_of_it() -> None:
    usual = quirks_in_words({})
    assert {one.name for one in usual} == set(DEFAULT_QUIRKS)
    assert not any(one.on for one in usual)
    assert {one.name: one.turn for one in usual} == {
        "raw_token": "on",
        "no_patch": "on",
        "ignore_routing": "on",
        "page_size": None,  # a number has to be given
    }
    noted = quirks_in_words({"page_size": 20, "no_patch": True})
    assert [(one.name, one.turn) for one in noted if one.on] == [
        ("no_patch", "off"),
        ("page_size", "off"),
    ]
    assert "20 objects" in noted[1].sentence
    assert {one.sentence for one in noted[:2]}.isdisjoint(one.sentence for one in usual)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (Terms(), "nobody that you have named: what it says waits for your yes"),
        (Terms(("nl*tnm", "de*tnm")), "NL/TNM and DE/TNM, in any role but HUB"),
        (Terms(("nl*tnm",), ("EMSP",), hub=True), "NL/TNM, as EMSP and HUB"),
        (Terms(any_party=True), "whatever free party it says, in any role but HUB"),
        (Terms(roles=("EMSP",)), "no party that you have named, as EMSP"),
        (Terms(approved=("nl*tnm EMSP",)), "NL/TNM EMSP"),
    ],
)
def test_who_it_may_be(terms: Terms, said: str) -> None:
    assert granted_in_words(terms) == said


def test_modules_are_those_offered_and_those_that_are_lacking() -> None:
    offered = [
        {"identifier": "locations", "role": "RECEIVER", "url": "https://msp.example/locations"},
        {"identifier": "credentials", "role": "SENDER", "url": "https://msp.example/credentials"},
    ]
    rows = modules_of(offered, {"modules": ["locations", "tokens:SENDER"]})
    assert [(row.name, row.role, row.expected, row.url is None) for row in rows] == [
        ("credentials", "SENDER", False, False),
        ("locations", "RECEIVER", True, False),
        ("tokens", "SENDER", True, True),
    ]
    assert rows[1].used_for == "we send locations and their status"
