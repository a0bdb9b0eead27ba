"""A role may what those below it may; who acts is known to all that he causes."""

from __future__ import annotations

import asyncio

import pytest

from domain.operators.actor import Actor, ActorKind, Role, acting_as, current_actor

INES = Actor(ActorKind.PERSON, "ines", Role.MONEY)


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.VIEWER, [Role.VIEWER]),
        (Role.OPERATOR, [Role.VIEWER, Role.OPERATOR]),
        (Role.MONEY, [Role.VIEWER, Role.OPERATOR, Role.MONEY]),
        (Role.ADMIN, list(Role)),
    ],
)
def test_a_role_includes_those_below_it(role: Role, may: list[Role]) -> None:
    assert [needed for needed in Role if role.includes(needed)] == may


def test_who_has_no_role_may_nothing() -> None:
    assert not Actor(ActorKind.PEER, "p-1").may(Role.VIEWER)
    assert INES.may(Role.MONEY)
    assert not INES.may(Role.ADMIN)


@pytest.mark.anyio
async def test_tasks_act_as_the_one_who_began_them() -> None:
    async def who() -> Actor:
        return current_actor()

    with acting_as(INES):
        task = asyncio.create_task(who())
    assert await task == INES
    assert current_actor() != INES
