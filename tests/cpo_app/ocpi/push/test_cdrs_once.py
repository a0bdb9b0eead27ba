"""A CDR reaches a peer once, however slow the peer is and whatever becomes of the sender.

Here a request may take 1 s, and a lease 3 s: a peer is asked 4 s after an unclear POST, and
once more a second later.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator

import pytest

from domain.outbox.marks import mark_everything
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.objects import cdr
from tests.cpo_app.ocpi.push.receiving_emsp import Got, Receiver
from tests.cpo_app.ocpi.push.test_crashes import driver, the_lease_ends


def slow(got: Got) -> str | None:
    return "slow" if got.method == "POST" else None


def request_ids(emsp: Receiver) -> list[str]:
    return [got.headers["x-request-id"] for got in emsp.of("POST", "cdrs")]


@pytest.mark.parametrize("slow_s", [3.0, 4.5])
def test_a_peer_that_is_slower_than_we_wait_gets_one_post(house: House, slow_s: float) -> None:
    emsp, _ = house.peer(fault=slow, slow_s=slow_s)
    house.push()
    house.publish("cdrs", cdr("C1"))
    house.until(lambda: emsp.cdrs and not house.marks())
    assert len(emsp.of("POST")) == 1


def test_a_repeat_bears_the_request_id_of_the_first(house: House) -> None:
    def loses_the_first(got: Got) -> str | None:
        return "hang" if got.method == "POST" and not emsp.of("POST") else None

    emsp, _ = house.peer(fault=loses_the_first)
    house.push()
    house.publish("cdrs", cdr("C1"))
    house.until(lambda: emsp.cdrs and not house.marks())
    first, second = request_ids(emsp)
    assert first == second
    assert len(emsp.of("GET")) == 4, "asked twice, in both usual places"


def test_what_the_peer_has_answered_is_another_request_next_time(house: House) -> None:
    """Who keeps answers by request id would refuse it for ever."""

    def refuses_the_first(got: Got) -> str | None:
        return "ocpi 2001" if got.method == "POST" and not emsp.of("POST") else None

    emsp, peer_id = house.peer(fault=refuses_the_first)
    house.push()
    house.publish("cdrs", cdr("C1"))
    house.until(lambda: house.held_back(peer_id))
    peer = house.loop.run(house.peers.get(peer_id))
    assert house.loop.run(mark_everything(house.store, peer.document, ("cdrs",))) == 1
    house.until_nothing_is_left()
    first, second = request_ids(emsp)
    assert first != second


@contextlib.contextmanager
def killed(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGKILL)
    yield


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


@pytest.mark.processes
@pytest.mark.parametrize("struck", [killed, stopped])
def test_a_sender_that_is_struck_in_the_middle_of_a_post(
    house: House, store_url: str, struck: Callable[[int], contextlib.AbstractContextManager[None]]
) -> None:
    emsp, _ = house.peer(fault=slow, slow_s=3.0)
    with driver(store_url, 1) as process:
        emsp.wait_until(lambda: emsp.of("POST"), 40)
        with struck(process.pid):
            the_lease_ends(house)
            house.push()
            house.until(lambda: emsp.cdrs and not house.marks())
        process.kill()
    assert len(request_ids(emsp)) == 1
