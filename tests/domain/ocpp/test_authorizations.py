"""A card that was authorized a moment ago is, for the start that follows, and no longer."""

from __future__ import annotations

import pytest

from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.authorization.authorization import Decision
from domain.authorization.whitelist import Allowed, AuthMethod
from domain.erasure import erase_card
from domain.ocpp.authorizations import AUTHORIZATIONS, GOOD_FOR, recall, remember, use
from domain.secrets import Vault
from tests.clock import Clock
from tests.conftest import Loop
from tests.domain.authorization.test_authorization import token

DECIDED = Decision(
    Allowed.ALLOWED, token("CARD"), AuthMethod.AUTH_REQUEST, "REF-1", peer_id="peer-tnm"
)


@pytest.fixture
def clock(db: Database) -> Clock:
    clock = db.clock = Clock()
    return clock


def test_it_is_remembered_for_a_while_at_its_station(
    db: Database, loop: Loop, clock: Clock
) -> None:
    async def story() -> None:
        await remember(db, "CP-007", "CARD", DECIDED)
        assert await recall(db, "CP-007", "card") == DECIDED
        assert await recall(db, "CP-008", "CARD") is None
        clock.advance(GOOD_FOR.total_seconds())
        assert await recall(db, "CP-007", "CARD") is None

    loop.run(story())


def test_it_is_good_for_one_start(db: Database, loop: Loop) -> None:
    async def story() -> None:
        await remember(db, "CP-007", "CARD", DECIDED)
        await DbInterface(db).transact(lambda tx: use(tx, "CP-007", "CARD"))
        assert await recall(db, "CP-007", "CARD") is None

    loop.run(story())


def test_a_refusal_is_not_remembered(db: Database, loop: Loop) -> None:
    async def story() -> None:
        await remember(db, "CP-007", "CARD", Decision(Allowed.BLOCKED, token("CARD")))
        assert await AUTHORIZATIONS.of(db).count({}) == 0

    loop.run(story())


def test_a_card_that_is_erased_is_gone_from_here(db: Database, loop: Loop) -> None:
    async def story() -> None:
        await remember(db, "CP-007", "CARD", DECIDED)
        await remember(db, "CP-007", "OTHER", Decision(Allowed.ALLOWED, token("OTHER")))
        await erase_card(DbInterface(db), Vault("v" * 40), "card")
        assert await recall(db, "CP-007", "CARD") is None
        assert await recall(db, "CP-007", "OTHER") is not None

    loop.run(story())
