"""How often eMSPs may be asked about cards that nobody has told us of.

Whoever holds cards to a reader could otherwise have every card number sent to eMSPs, as often as
he likes, and a broken reader could flood them. A card is kept as a hash, and for minutes only.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.database import Database
from domain.authorization.authorization_answer import Question

PER_EVSE = 10
"""Questions in one minute from one EVSE."""
PER_CARD = 3
"""Questions in one minute about one card, wherever it is held to a reader."""
NO_HOLDS = timedelta(minutes=2)
"""So long a no of all who were asked is an answer to the same card."""

_KEPT = timedelta(minutes=5)


class CardQuestions(TypedDict, total=False):
    """A document of `unknown_cards`."""

    _id: str
    """ "evse/UID/minute" or "card/hash/minute": how many questions; "no/hash": nobody knows it"""
    n: int
    until: datetime
    """for a no: it holds until then; MongoDB deletes the document some time after"""


UNKNOWN_CARDS: Collection[CardQuestions] = Collection("unknown_cards")


async def may_ask(db: Database, question: Question) -> bool:
    """Whether eMSPs may be asked about this card now; if so, it is counted."""
    now, card = db.now(), _hashed(question)
    no = {"_id": f"no/{card}", "until": {"$gt": now}}
    if await UNKNOWN_CARDS.of(db).find_one(no) is not None:
        return False
    for subject, most in (
        (f"evse/{question.evse_uid.lower()}", PER_EVSE),
        (f"card/{card}", PER_CARD),
    ):
        counted = await UNKNOWN_CARDS.of(db).update_and_find(
            {"_id": f"{subject}/{now:%Y%m%d%H%M}"},
            {"$inc": {"n": 1}, "$setOnInsert": {"until": now + _KEPT}},
            upsert=True,
        )
        if counted is not None and counted["n"] > most:
            return False
    return True


async def nobody_knows(db: Database, question: Question) -> None:
    """All who were asked have said no."""
    await UNKNOWN_CARDS.of(db).update_one(
        {"_id": f"no/{_hashed(question)}"}, {"$set": {"until": db.now() + NO_HOLDS}}, upsert=True
    )


def _hashed(question: Question) -> str:
    return sha256(f"{question.token_type}/{question.uid}".lower().encode()).hexdigest()
