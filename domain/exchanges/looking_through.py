"""How far is looked where something is asked for beside an id: an index finds the exchanges that
bear the id, and the rest is looked at in each of them. A location can have hundreds of thousands:
so of these the latest so many are looked through, which takes a moment however many there are.
Who wants older ones says until when.
"""

from __future__ import annotations

from dataclasses import replace

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.exchanges.exchange import EXCHANGES
from domain.exchanges.search_keys import Wanted, hint_of, query_of

MAX_LOOKED_THROUGH = 2_000


async def reach(db: Database, wanted: Wanted, before: str | None = None) -> str | None:
    """The id of the oldest that is looked at; None: all are."""
    ids_alone = replace(
        wanted,
        peer_id=None,
        module=None,
        status=None,
        direction=None,
        object=None if wanted.correlation_id else wanted.object,
        cards=() if wanted.correlation_id else wanted.cards,
    )
    if ids_alone == wanted or not (wanted.object or wanted.correlation_id):
        return None
    # Of the index alone: no document is read.
    query = query_of(ids_alone, before)
    last = await EXCHANGES.of(db).find(
        query,
        {"_id": 1},
        sort=[("_id", -1)],
        skip=MAX_LOOKED_THROUGH - 1,
        limit=1,
        hint=hint_of(query),
    )
    return last[0]["_id"] if last else None


async def bounded_query(db: Database, wanted: Wanted, before: str | None = None) -> JsonObject:
    """The question to the store, no further back than its reach; `before`: only what is older
    than that id."""
    query = query_of(wanted, before)
    oldest = await reach(db, wanted, before)
    if oldest is not None:
        query["_id"] = {**query.get("_id", {}), "$gte": oldest}
    return query
