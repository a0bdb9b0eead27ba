"""People: added, changed, removed; there is always somebody who can let others in."""

from __future__ import annotations

import asyncio
from typing import TypeVar

import pytest

from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.operators import operators
from domain.operators.actor import Role
from domain.operators.operators import NoSuchOperator, OperatorRefused
from tests.conftest import Loop

T = TypeVar("T")


class People:
    def __init__(self, db: Database, loop: Loop) -> None:
        self.db, self.loop, self.store = db, loop, DbInterface(db)

    def add(self, name: str, role: Role) -> None:
        self.loop.run(self.store.transact(lambda tx: operators.add(tx, name, role, "hash")))

    def remove(self, name: str) -> None:
        self.loop.run(self.store.transact(lambda tx: operators.remove(tx, name)))

    def role(self, name: str, role: Role) -> None:
        self.loop.run(self.store.transact(lambda tx: operators.set_role(tx, name, role)))

    def roles(self) -> dict[str, str]:
        return {one["name"]: one["role"] for one in self.loop.run(operators.listed(self.db))}


@pytest.fixture
def people(db: Database, loop: Loop) -> People:
    return People(db, loop)


def test_a_name_is_one_persons_whatever_its_case(people: People) -> None:
    people.add("Ines", Role.ADMIN)
    with pytest.raises(OperatorRefused, match="already"):
        people.add("ines", Role.VIEWER)
    assert people.roles() == {"Ines": "admin"}


@pytest.mark.parametrize("name", ["", "a b", "a:b", "-x", "x" * 65, "ä", "a\n"])
def test_a_name_fits_into_a_header_and_a_command_line(people: People, name: str) -> None:
    with pytest.raises(OperatorRefused):
        people.add(name, Role.VIEWER)


def test_admin_is_the_settings(people: People) -> None:
    with pytest.raises(OperatorRefused, match="CPO_ADMIN_PASSWORD"):
        people.add("Admin", Role.ADMIN)


def test_the_last_admin_stays(people: People) -> None:
    people.add("ines", Role.ADMIN)
    people.add("jo", Role.VIEWER)
    for change in (
        lambda: people.remove("ines"),
        lambda: people.role("ines", Role.MONEY),
        lambda: people.loop.run(
            people.store.transact(lambda tx: operators.set_disabled(tx, "ines", True))
        ),
    ):
        with pytest.raises(OperatorRefused, match="last admin"):
            change()
    people.role("jo", Role.ADMIN)
    people.remove("INES")
    assert people.roles() == {"jo": "admin"}


def test_of_two_admins_who_are_removed_at_once_one_stays(people: People) -> None:
    people.add("ines", Role.ADMIN)
    people.add("jo", Role.ADMIN)

    async def both() -> list[BaseException | None]:
        done = await asyncio.gather(
            people.store.transact(lambda tx: operators.remove(tx, "ines")),
            people.store.transact(lambda tx: operators.remove(tx, "jo")),
            return_exceptions=True,
        )
        return list(done)

    ends = people.loop.run(both())
    assert [type(end) for end in ends if end is not None] == [OperatorRefused]
    assert len(people.roles()) == 1


def test_nobody_of_that_name(people: People) -> None:
    with pytest.raises(NoSuchOperator, match="nemo"):
        people.remove("nemo")
