"""Tokens that we fetch: written so that an older one never replaces a newer one.

A push (PUT, PATCH) is the eMSP's word of this moment; what a pull or a real-time answer brings
may have been overtaken by it on the way. Whose tokens a peer may bring is the caller's to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from db_interface.owned_objects import OwnedObject, party_key
from db_interface.transaction import Tx
from domain.objects.tokens import owned_token
from domain.peers import claims
from domain.schemas import parse_datetime

_MODULE = "tokens"
OLDER = "older"

Token = JsonMapping


async def keep_if_newer(store: DbInterface, token: Token) -> str:
    """Keep one valid Token; "created", "updated", "unchanged", or "older" (then it is not kept)."""

    async def work(tx: Tx) -> str:
        return next(iter(await keep_all(store, [token], tx)))

    return await store.transact(work)


async def keep_all(store: DbInterface, tokens: Iterable[Token], tx: Tx) -> Counter[str]:
    """Keep valid Tokens, new ones in one round trip; how many had which outcome.

    Call inside a transaction. Of the same token twice the newer one counts, the other is older.
    """
    outcomes: Counter[str] = Counter()
    newest: dict[str, OwnedObject] = {}
    present: dict[str, str] = {}
    for token in tokens:
        party = party_key(token["country_code"], token["party_id"])
        if party not in present:
            present[party] = await claims.current(tx, party)
        obj = owned_token(token, present[party])
        other = newest.get(obj.key)
        if other is not None:
            outcomes[OLDER] += 1
        if other is None or obj.last_updated >= other.last_updated:
            newest[obj.key] = obj
    objects = store.objects(_MODULE)
    kept = {
        document["_id"]: document
        for document in await objects.documents(
            {"_id": {"$in": list(newest)}},
            fields={"fields.last_updated": 1, "audience": 1, "owner": 1},
            tx=tx,
        )
    }
    new = [obj for key, obj in newest.items() if key not in kept]
    await objects.put_new(new, tx)
    outcomes["created"] += len(new)
    for key, document in kept.items():
        age = parse_datetime(document["fields"]["last_updated"])
        its_own = document["audience"] in await claims.audiences_of(tx, document["owner"])
        if its_own and newest[key].last_updated < age:
            outcomes[OLDER] += 1
        else:
            outcomes[await objects.put(newest[key], tx)] += 1
    return +outcomes
