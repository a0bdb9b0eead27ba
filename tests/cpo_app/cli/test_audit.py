"""`cpo audit` as a person or a script runs it."""

from __future__ import annotations

import getpass

import pytest

from db_interface.database import Database
from domain.audit.entries import AUDIT
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo


@pytest.fixture
def peer_id(cpo: Cpo) -> str:
    made = cpo("peers", "invite", "--name", "MSP", "--party", "NL/TNM")
    assert made.code == 0, made.err
    found: str = made.json()["peer_id"]
    return found


def test_what_was_done_at_the_command_line_is_shown_with_its_user(cpo: Cpo, peer_id: str) -> None:
    assert cpo("peers", "quirk", peer_id, "no_patch", "on").code == 0
    refused = cpo("peers", "suspend", peer_id)
    assert refused.code == 1
    rows = cpo("audit", "--about", peer_id, "--json").json()
    assert [(row["action"], row["result"]) for row in rows] == [
        ("peers.suspend", "refused"),
        ("peers.quirk", "done"),
        ("peers.invite", "done"),
    ]
    assert {(row["by"]["kind"], row["by"]["name"]) for row in rows} == {
        ("command line", getpass.getuser())
    }
    assert (rows[1]["before"], rows[1]["after"]) == (
        {"quirks.no_patch": False},
        {"quirks.no_patch": True},
    )
    assert rows[0]["why"] == f"peer {peer_id} is invited, not connected"
    assert len({row["correlation_id"] for row in rows}) == 3
    table = cpo("audit", "--about", peer_id).out
    assert "refused: peer" in table and "quirks.no_patch no to yes" in table
    assert cpo("audit", "--by", "nobody", "--json").json() == []
    assert "the latest 1; --limit shows more" in cpo("audit", "--limit", "1").err


def test_the_chain_is_verified_and_its_head_proves_what_was_before(
    cpo: Cpo, peer_id: str, db: Database, loop: Loop
) -> None:
    first = cpo("audit", "verify", "--json").json()
    assert (first["entries"], first["unsealed"], first["problems"]) == (1, 0, [])
    assert cpo("peers", "quirk", peer_id, "no_patch", "on").code == 0
    later = cpo("audit", "verify", "--head", first["head"])
    assert later.code == 0
    assert later.out.startswith("head")
    loop.run(AUDIT.of(db).update_one({"seq": 1}, {"$set": {"who.name": "eve"}}))
    forged = cpo("audit", "verify")
    assert forged.code == 1
    assert "is not what was sealed" in forged.err
    assert forged.err.splitlines()[-1] == "cpo: the audit log is not whole"


def test_no_token_is_written_down(cpo: Cpo, db: Database, loop: Loop) -> None:
    made = cpo("peers", "invite", "--name", "MSP").json()
    enrolled = cpo("charge-points", "enrol", "CP-1").json()
    kept = str(loop.run(AUDIT.of(db).find({})))
    assert "peers.invite" in kept and "charge_points.enrol" in kept
    assert made["token"] not in kept and enrolled["token"] not in kept
