"""What happened to a peer is told in words that people read, whatever was done to it."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cpo_app.actions.catalog import all_actions
from domain.operator.peer_events import DID, of_exchange, of_log
from domain.peers import peers

NOON = datetime(2025, 6, 1, 12, tzinfo=timezone.utc)


def entry(action: str, **facts: Any) -> dict[str, Any]:
    return {
        "at": NOON,
        "by": {"kind": "person", "name": "ines"},
        "action": action,
        "before": None,
        "after": None,
        "result": "done",
        "why": None,
        **facts,
    }


def test_whatever_is_done_to_a_peer_has_its_words() -> None:
    written = {
        name
        for path in Path(peers.__file__).parent.glob("*.py")
        for name in re.findall(r'"(peers\.[a-z_]+)"', path.read_text())
    }
    known = {action.name for action in all_actions()}
    about_peers = {name for name in known if name.startswith(("peers.", "terminals."))}
    assert about_peers | written == {*DID}


def test_who_did_what_and_what_changed() -> None:
    suspended = of_log(
        entry("peers.suspend", before={"status": "connected"}, after={"status": "suspended"})
    )
    assert (suspended.what, suspended.detail, suspended.bad) == (
        "ines suspended it",
        "status: suspended",
        False,
    )
    change = of_log(
        entry(
            "peers.change",
            by={"kind": "peer", "name": "peer-1"},
            before={"settings.narrowed": False, "version": "2.1.1", "roles": []},
            after={"settings.narrowed": True, "version": None, "roles": [{"role": "EMSP"}]},
        )
    )
    assert change.what == "it changed what is known of it"
    assert change.detail == "published locations only: yes, OCPI version: none"


def test_what_was_refused_says_why() -> None:
    refused = of_log(entry("peers.block", result="refused", why="needs the role operator"))
    assert (refused.what, refused.detail, refused.bad) == (
        "not done: ines blocked it",
        "refused: needs the role operator",
        True,
    )


def test_what_is_done_by_a_later_version_is_told_as_it_is_called() -> None:
    assert of_log(entry("peers.hug_tightly")).what == "ines peers: hug tightly"


def test_an_exchange_that_went_wrong() -> None:
    row = {"at": NOON, "direction": "out", "method": "PUT", "module": "sessions", "id": "e1"}
    answered = of_exchange({**row, "status": 200, "ocpi_status": 2001, "error": None})
    assert (answered.what, answered.detail) == ("we asked it: PUT sessions", "HTTP 200, OCPI 2001")
    assert answered.exchange == "e1"
    silent = of_exchange({**row, "status": None, "ocpi_status": None, "error": "timeout"})
    assert silent.detail == "timeout"
