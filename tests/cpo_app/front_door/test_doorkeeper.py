"""How many connections there may be: in all, of one address, and of the process's open files."""

from __future__ import annotations

import resource
from dataclasses import dataclass, field

import pytest

from cpo_app.front_door.doorkeeper import Doorkeeper, most_connections
from tests.conftest import Loop


@dataclass(eq=False)
class Caller:
    """A connection; `gone`: it had to make room."""

    keeper: Doorkeeper
    address: str
    owed: bool = False
    gone: bool = field(default=False, init=False)

    def is_owed_an_answer(self) -> bool:
        return self.owed

    def look_at_the_clock(self, now: float) -> None:
        """It is in time."""

    def give_way(self) -> None:
        self.gone = True
        self.keeper.gone(self)


@pytest.fixture
def keeper() -> Doorkeeper:
    return Doorkeeper(6, 2, {"proxy"}.__contains__)


def come(loop: Loop, keeper: Doorkeeper, *callers: Caller) -> list[bool]:
    async def let_in() -> list[bool]:
        return [keeper.let_in(caller) for caller in callers]

    return loop.run(let_in())


def test_an_address_has_its_share_and_takes_nobody_elses(loop: Loop, keeper: Doorkeeper) -> None:
    other = Caller(keeper, "other")
    greedy = [Caller(keeper, "greedy") for _ in range(4)]
    assert come(loop, keeper, other, *greedy) == [True] * 5
    # The oldest of its own made room for each that was too many.
    assert [one.gone for one in greedy] == [True, True, False, False]
    assert (other.gone, len(keeper)) == (False, 3)


def test_who_is_owed_an_answer_is_not_cut_for_another(loop: Loop, keeper: Doorkeeper) -> None:
    busy = [Caller(keeper, "busy", owed=True) for _ in range(2)]
    late = Caller(keeper, "busy")
    assert come(loop, keeper, *busy, late) == [True, True, False]
    assert not any(one.gone for one in busy)


def test_a_full_house_makes_room_where_there_is_most(loop: Loop, keeper: Doorkeeper) -> None:
    small, behind_proxy = Caller(keeper, "small"), [Caller(keeper, "proxy") for _ in range(5)]
    newcomer = Caller(keeper, "newcomer")
    assert come(loop, keeper, small, *behind_proxy, newcomer) == [True] * 7
    assert [one.gone for one in behind_proxy] == [True, False, False, False, False]
    assert not small.gone


@pytest.mark.parametrize(
    ("files", "wanted", "most"), [(20_000, 12_000, 12_000), (4096, 12_000, 3584), (300, 256, 100)]
)
def test_connections_leave_files_for_everything_else(
    monkeypatch: pytest.MonkeyPatch, files: int, wanted: int, most: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert most_connections(wanted) == most


def test_the_limit_of_files_is_raised_as_far_as_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits))
    assert most_connections(12_000) == 3584
    assert raised == [(4096, 4096)]


def test_connections_are_kept_while_there_is_room(loop: Loop) -> None:
    keeper = Doorkeeper(8, 4, {"proxy"}.__contains__)
    one, two, three = (Caller(keeper, "greedy") for _ in range(3))
    come(loop, keeper, one, two)
    assert keeper.has_room_to_keep(one)
    come(loop, keeper, three)
    assert not keeper.has_room_to_keep(one), "its address has more than half of its share"
    behind = Caller(keeper, "proxy")
    come(loop, keeper, behind)
    assert keeper.has_room_to_keep(behind)
    come(loop, keeper, Caller(keeper, "proxy"))
    assert not keeper.has_room_to_keep(behind), "the house is more than half full"
