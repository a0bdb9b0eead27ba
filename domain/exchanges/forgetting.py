"""A card holder is forgotten: exchanges stay as what took place, and tell nothing of him any more.

Found by the card's keyed hash, which goes with the rest. What was said goes whole, heads and
bodies: a Token has more of a person in it than its number. The pages of Tokens that were read bear
no hash; of each card there they have the last characters, until their time is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.exchanges.exchange import EXCHANGES
from domain.exchanges.redaction import HIDDEN_BEFORE
from domain.exchanges.search_keys import card_key

FORGOTTEN = "(forgotten)"
_IN_URL = quote(HIDDEN_BEFORE)


async def forget_card(db: Database, hashes: Iterable[str]) -> int:
    """How many told of the card with this hash, under whichever key it was hashed."""
    keys = [card_key(one) for one in hashes]
    return await EXCHANGES.of(db).update_many({"keys": {"$in": keys}}, [{"$set": _told(keys)}])


def _told(keys: list[str]) -> JsonObject:
    return {
        "keys": {"$setDifference": ["$keys", keys]},
        "objects": {
            "$filter": {
                "input": "$objects",
                "cond": {"$ne": [{"$substrCP": ["$$this", 0, 1]}, HIDDEN_BEFORE]},
            }
        },
        # Of a card in the path the last characters are there, and its type behind them.
        "url": {
            "$cond": [
                {"$gte": [{"$indexOfCP": ["$url", _IN_URL]}, 0]},
                {"$concat": [{"$first": {"$split": ["$url", _IN_URL]}}, FORGOTTEN]},
                "$url",
            ]
        },
        "request": _part("request"),
        "response": _part("response"),
    }


def _part(name: str) -> JsonObject:
    return {"head": "", "body": FORGOTTEN, "size": f"${name}.size", "cut": True}
