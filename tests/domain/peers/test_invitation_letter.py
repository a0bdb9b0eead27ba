"""The letter that goes with an invitation: all that a peer's engineer needs."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import datetime, timezone

from domain.peers.invitation_letter import Invited, letter

TO = Invited(
    name="Roaming BV",
    ours="EVC",
    our_parties=["NL/EVC"],
    versions_url="https://cpo.example/ocpi/versions",
    token="a" * 64,
    until=datetime(2026, 5, 8, 12, tzinfo=timezone.utc),
    versions=["2.2.1", "2.3.0"],
    docs_url="https://cpo.example/ocpi/docs",
)


def test_it_says_all_that_is_needed() -> None:
    text = letter(TO)
    for said in (TO.versions_url, TO.token, TO.docs_url, "2026-05-08 12:00 UTC", "2.2.1, 2.3.0"):
        assert said in text
    shown = re.search(r"Authorization: Token (\S+)'", text)
    assert shown is not None
    assert base64.b64decode(shown[1]).decode() == TO.token


def test_it_says_what_the_operator_has_said_of_this_peer() -> None:
    text = letter(replace(TO, raw_token=True, parties=["NL/TNM"], modules=["tokens:SENDER"]))
    assert f"Token {TO.token}'" in text and "as it is" in text
    assert "We expect you as NL/TNM" in text and "We need of you: tokens:SENDER" in text
    assert "Which parties you are, we confirm" in letter(TO)
