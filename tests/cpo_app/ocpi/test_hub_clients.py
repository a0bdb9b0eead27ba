"""A hub's clients: who they are, who says so, and that what is theirs goes to them through it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cpo_app.mock_hub.mailbox import Arrived
from cpo_app.ocpi_caller import CallError
from domain.outbox import due_marks
from domain.outbox.marks import MARKS
from domain.peers import client_switches
from domain.peers.hub_client_pulls import PULLS
from tests.conftest import Loop
from tests.cpo_app.ocpi.conftest import Face
from tests.cpo_app.ocpi.push.objects import cdr, session
from tests.cpo_app.ocpi.roaming import CLIENT, Roaming, roaming_without_central
from tests.e2e.processes import eventually

HIS = {"country_code": "FR", "party_id": "CLI", "uid": "FR-CLI-CARD-1", "type": "RFID"}
WAITS = "CONNECTED, waits for you"


@pytest.fixture
def roaming(face: Face, loop: Loop) -> Iterator[Roaming]:
    with roaming_without_central(face, loop) as roaming:
        yield roaming


def charges(roaming: Roaming, number: int = 1, token: dict[str, Any] = HIS) -> None:
    """A driver of the client has charged: a session and its CDR."""
    roaming.keep("sessions", session(f"S{number}", token=token))
    roaming.keep("cdrs", cdr(f"C{number}", session_id=f"S{number}", token=token))


def arrived(roaming: Roaming, count: int, timeout_s: float = 20) -> list[Arrived]:
    """Wait for so many CDRs at the client."""
    mailbox = roaming.hub.mailbox
    roaming.loop.run(
        mailbox.until(lambda: len(mailbox.of("cdrs", CLIENT)) >= count, timeout_s),
        timeout_s=timeout_s + 10,
    )
    return mailbox.of("cdrs", CLIENT)


def marked(roaming: Roaming) -> list[dict[str, Any]]:
    return [dict(row) for row in roaming.loop.run(MARKS.of(roaming.store.db).find({}))]


def test_the_hubs_word_alone_opens_nothing(roaming: Roaming) -> None:
    roaming.hub_registers(approved=None)
    assert roaming.clients() == {"DE/KUN": WAITS, "FR/CLI": WAITS, "NL/MSP": WAITS}
    charges(roaming)
    assert marked(roaming) == []
    with pytest.raises(CallError, match="none of your"):
        roaming.loop.run(roaming.hub.sessions("FR/CLI"))


def test_session_and_cdr_of_an_approved_client_go_to_it_through_the_hub(roaming: Roaming) -> None:
    roaming.hub_registers(approved="FR/CLI")
    charges(roaming)
    [bill] = arrived(roaming, 1)
    [seen] = roaming.hub.mailbox.of("sessions", CLIENT)
    for message in (bill, seen):
        assert message.to == CLIENT
        assert message.sender == (message.body["country_code"], message.body["party_id"])
    assert (bill.body["id"], seen.body["id"]) == ("C1", "S1")
    # Another's is neither pushed nor shown.
    charges(roaming, 2, {**HIS, "country_code": "DE", "party_id": "KUN"})
    charges(roaming, 3)
    assert [message.body["id"] for message in arrived(roaming, 2)] == ["C1", "C3"]
    assert roaming.hub.mailbox.of("cdrs", ("DE", "KUN")) == []


def test_a_client_that_is_approved_later_gets_what_was_for_it(roaming: Roaming) -> None:
    roaming.hub_registers(approved=None)
    charges(roaming)
    roaming.approve("FR/CLI")
    assert [message.body["id"] for message in arrived(roaming, 1)] == ["C1"]
    assert roaming.clients()["FR/CLI"] == "CONNECTED, yes"


def test_the_operator_may_take_the_hubs_word(roaming: Roaming) -> None:
    roaming.hub_registers(approved=None)
    store, peer_id, run = roaming.store, roaming.peer_id, roaming.loop.run
    run(client_switches.refuse(store, peer_id, [("DE", "KUN")]))
    run(client_switches.approve_as_told(store, peer_id, on=True))
    assert roaming.clients() == {
        "DE/KUN": "CONNECTED, no",
        "FR/CLI": "CONNECTED, yes, as all that the hub names",
        "NL/MSP": "CONNECTED, yes, as all that the hub names",
    }
    run(client_switches.approve_as_told(store, peer_id, on=False))
    assert roaming.clients()["FR/CLI"] == WAITS


def test_what_is_for_a_client_that_is_offline_waits_and_goes_out_when_it_is_back(
    roaming: Roaming,
) -> None:
    roaming.hub_registers()
    run, hub = roaming.loop.run, roaming.hub
    run(hub.set_status("FR/CLI", "OFFLINE"))
    charges(roaming)
    charges(roaming, 2, {**HIS, "country_code": "DE", "party_id": "KUN"})
    run(hub.mailbox.until(lambda: bool(hub.mailbox.of("cdrs", ("DE", "KUN")))))
    held = run(due_marks.held_back(roaming.store.db, roaming.peer_id, 10))
    assert {mark.reason for mark in held} == {"FR*CLI is not online, says its hub"}
    assert [message for message in hub.mailbox.arrived if CLIENT in message.clients] == []

    run(hub.set_status("FR/CLI", "CONNECTED"))
    assert len(arrived(roaming, 1, timeout_s=5)) == 1


def test_a_client_of_which_the_hub_alone_knew_that_it_was_away_gets_its_news_at_once(
    roaming: Roaming,
) -> None:
    roaming.hub_registers()
    run, hub, db = roaming.loop.run, roaming.hub, roaming.store.db
    hub.client("FR/CLI").status = "OFFLINE"  # we are not told: the hub answers 4003
    charges(roaming)

    def refused_by_the_hub() -> bool:
        return any("4003" in str(row.get("error")) for row in marked(roaming))

    eventually(refused_by_the_hub, 20, "the hub says 4003")
    run(
        MARKS.of(db).update_many(
            {"error": {"$exists": True}}, {"$set": {"due": db.now() + timedelta(hours=1)}}
        )
    )
    run(hub.set_status("FR/CLI", "OFFLINE"))
    run(hub.set_status("FR/CLI", "CONNECTED"))
    assert len(arrived(roaming, 1, timeout_s=10)) == 1


def test_a_hub_with_faults_converges(roaming: Roaming) -> None:
    roaming.hub_registers()
    roaming.hub.faults.slow_s = 0.1
    roaming.hub.faults.coming.extend(["500", "429", "half-json", "slow", "half-json"])
    for number in (1, 2, 3):
        charges(roaming, number)
    arrived(roaming, 3, timeout_s=60)
    bills = roaming.hub.mailbox.of("cdrs", CLIENT)
    assert sorted(message.body["id"] for message in bills) == ["C1", "C2", "C3"]
    seen = roaming.hub.mailbox.objects
    assert {path for module, path in seen if module == "sessions"} >= {
        f"nl/evc/s{number}" for number in (1, 2, 3)
    }


def test_a_party_that_registers_itself_is_no_hubs_from_then_on(roaming: Roaming) -> None:
    roaming.hub_registers()
    roaming.world.face.connected("FR*CLI")
    assert roaming.clients()["FR/CLI"] == "CONNECTED, no: it has a connection of its own"
    charges(roaming)
    assert marked(roaming) == []


def test_clients_are_read_when_the_hub_connects_when_we_start_and_every_hour(
    roaming: Roaming,
) -> None:
    roaming.hub_registers()
    hub, db = roaming.hub, roaming.store.db
    [pull] = roaming.loop.run(PULLS.of(db).find({}))
    assert timedelta(minutes=59) < pull["due"] - db.now() <= timedelta(hours=1)
    hub.client("NL/MSP").status = "SUSPENDED"
    hub.client("NL/MSP").last_updated = "2030-01-01T00:00:00Z"
    del hub.clients["DE", "KUN"]
    roaming.read_clients()
    assert roaming.clients() == {
        "DE/KUN": "OFFLINE, yes",
        "FR/CLI": "CONNECTED, yes",
        "NL/MSP": "SUSPENDED, yes",
    }


def test_a_list_does_not_undo_what_the_hub_has_said_since(roaming: Roaming) -> None:
    roaming.hub_registers()
    client = roaming.hub.client("FR/CLI")
    before = client.last_updated
    roaming.loop.run(roaming.hub.set_status("FR/CLI", "OFFLINE"))
    client.status, client.last_updated = "CONNECTED", before
    roaming.read_clients()
    assert roaming.clients()["FR/CLI"] == "OFFLINE, yes"


def test_a_hub_whose_list_cannot_be_read_is_asked_again_soon(roaming: Roaming) -> None:
    roaming.hub.faults.coming.append("500")
    roaming.hub_registers(approved=None)
    assert roaming.clients() == {}
    peer = roaming.loop.run(roaming.world.peers.get(roaming.peer_id))
    assert peer.last_error is not None and "its clients" in peer.last_error["text"]
    db = roaming.store.db
    [pull] = roaming.loop.run(PULLS.of(db).find({}))
    assert pull["due"] - db.now() < timedelta(minutes=1)
    roaming.read_clients()
    assert len(roaming.clients()) == 3
