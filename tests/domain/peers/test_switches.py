"""What the operator does to a peer: it ends in the true state, whatever happened meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from db_interface.database import Database
from domain.peers import switches
from domain.peers.peer import DEFAULT_QUIRKS
from domain.peers.peer_document import UnknownPeer
from domain.peers.statuses import BLOCKED, CONNECTED, STATUSES, SUSPENDED
from domain.peers.switches import SWITCHES, NotPossible
from tests.conftest import Loop
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.objects import location, tariff
from tests.cpo_app.ocpi.push.receiving_emsp import Receiver

LATER = "2024-05-01T11:00:00Z"


@pytest.fixture
def house(db: Database, loop: Loop) -> Iterator[House]:
    with contextlib.ExitStack() as stack:
        yield House(db, loop, stack)


def do(house: House, action: str, peer_id: str) -> int:
    return house.loop.run(getattr(switches, action)(house.store, peer_id))


def statuses(emsp: Receiver, location_id: str) -> set[str]:
    """Of the EVSEs of a location as the peer has it."""
    return {evse["status"] for evse in emsp.held("locations")[location_id]["evses"]}


def test_a_blocked_peer_gets_all_that_it_missed_when_it_is_resumed(house: House) -> None:
    emsp, peer_id = house.peer()
    house.locations(location("GOES", publish=False), location("STAYS"))
    house.publish("tariffs", tariff("GOES"))
    house.push()
    house.until_nothing_is_left()

    do(house, "block", peer_id)
    house.locations(location("NEW"))
    assert house.marks() == []
    house.withdraw("tariffs", "nl/evc/goes")
    assert [(mark["module"], mark["key"]) for mark in house.marks()] == [("tariffs", "nl/evc/goes")]

    assert do(house, "resume", peer_id) == 3
    house.until_nothing_is_left()
    assert set(emsp.held("locations")) == {"GOES", "STAYS", "NEW"}
    assert emsp.held("tariffs") == {}


def test_a_resume_that_broke_off_is_done_again_from_the_beginning(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    emsp, peer_id = house.peer()
    do(house, "block", peer_id)
    house.locations(location("LOC1"))

    async def killed(*_: object) -> int:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(switches, "mark_everything", killed)
        with pytest.raises(RuntimeError):
            do(house, "resume", peer_id)
    assert house.loop.run(house.peers.get(peer_id)).status == SUSPENDED

    house.push()
    do(house, "resume", peer_id)
    emsp.wait_until(lambda: "LOC1" in emsp.held("locations"))


def test_whoever_blocks_a_peer_while_it_is_resumed_has_the_last_word(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, peer_id = house.peer()
    do(house, "block", peer_id)

    async def meanwhile(*_: object) -> int:
        return await switches.block(house.store, peer_id)

    monkeypatch.setattr(switches, "mark_everything", meanwhile)
    with pytest.raises(NotPossible):
        do(house, "resume", peer_id)
    assert house.loop.run(house.peers.get(peer_id)).status == BLOCKED


@pytest.mark.parametrize("action", ["resync", "resume", "narrow", "widen"])
def test_a_pause_after_failures_ends_with_it(house: House, action: str) -> None:
    _, peer_id = house.peer()
    if action == "resume":
        do(house, "suspend", peer_id)
    far = datetime.now(timezone.utc) + timedelta(hours=1)

    async def pausing() -> None:
        facts = {"failures": 9, "retry_at": far, "opened": far, "reason": "503"}
        await house.db["push_lanes"].update_one({"_id": peer_id}, {"$set": facts}, upsert=True)

    house.loop.run(pausing())
    do(house, action, peer_id)

    async def lane() -> Any:
        return await house.db["push_lanes"].find_one({"_id": peer_id})

    found = house.loop.run(lane())
    assert (found["failures"], found["retry_at"], found["reason"]) == (0, None, "")


def test_narrowing_takes_away_what_is_not_published_and_widening_sends_it(house: House) -> None:
    emsp, peer_id = house.peer()
    house.locations(location("OPEN"), location("GUESTS", publish=False))
    house.push()
    house.until_nothing_is_left()
    assert statuses(emsp, "GUESTS") != {"REMOVED"}

    assert do(house, "narrow", peer_id) == 1
    house.until_nothing_is_left()
    assert statuses(emsp, "GUESTS") == {"REMOVED"}
    assert statuses(emsp, "OPEN") != {"REMOVED"}
    house.locations(location("GUESTS", publish=False, name="Still hidden", at=LATER))
    assert house.marks() == []

    assert do(house, "widen", peer_id) == 1
    house.until_nothing_is_left()
    assert emsp.held("locations")["GUESTS"]["name"] == "Still hidden"
    assert statuses(emsp, "GUESTS") != {"REMOVED"}


def test_what_a_widened_peer_never_got_is_not_shown_to_be_taken_away(house: House) -> None:
    emsp, peer_id = house.peer()
    do(house, "narrow", peer_id)
    house.locations(location("GUESTS", publish=False))
    do(house, "widen", peer_id)
    do(house, "narrow", peer_id)
    house.push()
    house.until_nothing_is_left()
    assert emsp.held("locations") == {}


def test_a_change_under_way_while_a_peer_is_widened_reaches_it(house: House) -> None:
    """Its transaction still saw the peer narrowed."""
    emsp, peer_id = house.peer()
    do(house, "narrow", peer_id)
    present = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    do(house, "widen", peer_id)
    house.locations(location("GUESTS", publish=False, at=present))

    async def as_if_it_had_not_been_marked() -> None:
        await house.db["marks"].delete_many({})
        await house.db["push_lanes"].update_one(
            {"_id": peer_id}, [{"$set": {"greeted": True, "settles_at": "$$NOW"}}]
        )

    house.loop.run(as_if_it_had_not_been_marked())
    house.push()
    emsp.wait_until(lambda: "GUESTS" in emsp.held("locations"))


@pytest.mark.parametrize("action", sorted(SWITCHES))
@pytest.mark.parametrize("status", STATUSES)
def test_what_is_possible_is_done_and_what_is_not_is_refused(
    house: House, action: str, status: str
) -> None:
    _, peer_id = house.peer()
    switch = SWITCHES[action]
    narrowed = bool(switch.narrowed)
    house.loop.run(
        house.peers.set(
            peer_id, datetime.now(timezone.utc), status=status, settings={"narrowed": narrowed}
        )
    )
    document = house.loop.run(house.peers.get(peer_id)).document
    if action in switches.possible_for(document):
        do(house, action, peer_id)
    else:
        already = {"suspend": SUSPENDED, "resume": CONNECTED, "block": BLOCKED}.get(action)
        if status == already:
            do(house, action, peer_id)
            assert house.loop.run(house.peers.get(peer_id)).status == status
        else:
            with pytest.raises(NotPossible, match=status):
                do(house, action, peer_id)


def test_a_peer_that_is_not_there_is_said_to_be_unknown(house: House) -> None:
    for action in SWITCHES:
        with pytest.raises(UnknownPeer):
            do(house, action, "peer-404")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("raw_token", "true", True),
        ("no_patch", "false", False),
        ("page_size", "50", 50),
        ("page_size", "false", None),
    ],
)
def test_a_quirk_is_noted(house: House, name: str, value: str, kept: object) -> None:
    _, peer_id = house.peer()
    house.loop.run(switches.set_quirk(house.store, peer_id, name, value))
    assert house.loop.run(house.peers.get(peer_id)).quirks == {**DEFAULT_QUIRKS, name: kept}


@pytest.mark.parametrize(
    ("name", "value"),
    [("no_trailing_slash", "true"), ("page_size", "0"), ("page_size", "²"), ("raw_token", "yes")],
)
def test_what_is_no_quirk_is_refused(house: House, name: str, value: str) -> None:
    _, peer_id = house.peer()
    with pytest.raises(NotPossible):
        house.loop.run(switches.set_quirk(house.store, peer_id, name, value))
