"""Who fails too often waits: by address and identity, here at once, elsewhere through the store."""

from __future__ import annotations

import pytest

from auth.throttle import WINDOW_S, Throttle, TooManyFailures, network_of
from db_interface.database import Database
from tests.conftest import Loop


class Turned:
    """A clock that the test turns."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def fail(throttle: Throttle, times: int, address: str = "192.0.2.1", identity: str = "") -> None:
    for _ in range(times):
        throttle.failed(address, identity)


def is_shut(throttle: Throttle, address: str = "192.0.2.1", identity: str = "") -> bool:
    try:
        throttle.check(address, identity)
    except TooManyFailures:
        return True
    return False


def test_after_too_many_failures_an_address_waits_for_the_minute_to_pass() -> None:
    clock = Turned()
    throttle = Throttle("test", 3, clock=clock)
    fail(throttle, 2)
    throttle.check("192.0.2.1")
    fail(throttle, 1)
    with pytest.raises(
        TooManyFailures, match=r"too many failed attempts; try again in 6\d s"
    ) as no:
        throttle.check("192.0.2.1")
    assert WINDOW_S <= no.value.retry_after_s <= WINDOW_S + 1
    throttle.check("192.0.2.2")

    clock.now += WINDOW_S + 1
    throttle.check("192.0.2.1")


def test_failures_of_long_ago_do_not_add_up() -> None:
    clock = Turned()
    throttle = Throttle("test", 3, clock=clock)
    for _ in range(5):
        fail(throttle, 2)
        clock.now += WINDOW_S + 1
    assert not is_shut(throttle)


def test_an_identity_is_guarded_against_many_addresses_and_not_locked_out_by_them() -> None:
    throttle = Throttle("test", 3, clock=Turned())
    throttle.succeeded("198.51.100.7", "admin")
    for number in range(9):
        throttle.failed(f"192.0.2.{number}", "admin")
    assert is_shut(throttle, "203.0.113.1", "admin")
    assert not is_shut(throttle, "198.51.100.7", "admin")
    assert not is_shut(throttle, "203.0.113.1", "somebody else")


def test_an_ipv6_host_has_one_address() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") == "2001:db8::/64"
    throttle = Throttle("test", 3, clock=Turned())
    for number in range(3):
        throttle.failed(f"2001:db8::{number}")
    assert is_shut(throttle, "2001:db8::99")
    assert not is_shut(throttle, "2001:db8:0:1::1")


def test_zero_holds_nobody_up() -> None:
    throttle = Throttle("test", 0)
    fail(throttle, 1000)
    assert not is_shut(throttle)


def test_processes_count_together(db: Database, loop: Loop) -> None:
    async def guess() -> tuple[bool, bool]:
        first, second = Throttle("test", 4, db), Throttle("test", 4, db)
        fail(first, 2)
        await first.settled()
        fail(second, 1)
        await second.settled()
        before = is_shut(second)
        fail(second, 1)
        await second.settled()
        return before, is_shut(second)

    assert loop.run(guess()) == (False, True)


def test_another_door_counts_for_itself(db: Database, loop: Loop) -> None:
    async def guess() -> bool:
        first, second = Throttle("one", 2, db), Throttle("two", 2, db)
        fail(first, 2)
        await first.settled()
        fail(second, 1)
        await second.settled()
        return is_shut(second)

    assert loop.run(guess()) is False
