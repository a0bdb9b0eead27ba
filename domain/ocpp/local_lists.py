"""The collection `ocpp_local_lists`: the cards that stations know themselves, to charge offline by.

On a list are cards that a reader reads (RFID), that are valid, and that charge unasked by the
whitelist's rules, of eMSPs that are there. The list that a station was given is held against the
cards after each of its boots and every so often, and sent anew where it differs. What a station let
charge offline is judged again when it tells of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict

from db_interface.collection import Collection, Where
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.authorization.whitelist import RULES, Allowed
from domain.ocpp import configurations, ids
from domain.peers import claims
from domain.peers.hub_clients import HUB_CLIENTS
from domain.peers.peer_document import PEERS
from domain.peers.statuses import CONNECTED, SUSPENDED

MAX_CARDS = 20_000
USUAL_PART = 100
"""Cards in a message, where the station does not say how many it takes."""
_LENGTH_KEYS = ("LocalAuthListMaxLength",)
_PART_KEYS = ("SendLocalListMaxLength", "LocalAuthListCtrlr.ItemsPerMessage")
_UNASKED = [
    whitelist
    for (whitelist, valid), rule in RULES.items()
    if valid and rule.unasked is Allowed.ALLOWED
]
_ACCEPTED = "ACCEPTED"

Ask = Callable[[str, JsonMapping], Awaitable[JsonObject]]
"""(operation, fields) to the station's answer (cpo_app/ocpp/operations.py)."""


class LocalList(TypedDict):
    """A document of `ocpp_local_lists`."""

    _id: str
    """station"""
    party: str | None
    """folded: the cards of that one alone"""
    version: int
    cards: int
    digest: str
    """of what is on it"""
    sent_at: datetime


class Card(NamedTuple):
    uid: str
    token_type: str
    group_id: str | None


LISTS: Collection[LocalList] = Collection("ocpp_local_lists")


class ListNotSent(Exception):
    """The station has not got it; the message says why."""


async def of_station(where: Where, station: str) -> LocalList | None:
    return await LISTS.of(where).find_one({"_id": station})


async def cards_of(store: DbInterface, party: str | None, most: int) -> list[Card]:
    """At most `most`, those known longest first; each idTag once, whoever's."""
    held = {party} & await _held(store) if party is not None else await _held(store)
    found: dict[str, Card] = {}
    audiences = {one: await claims.audiences_of(store.db, one) for one in sorted(held)}
    rows = (
        await store.objects("tokens")
        .of(store.db)
        .find(
            {
                "owner": {"$in": sorted(held)},
                "fields.type": "RFID",
                "fields.valid": True,
                "fields.whitelist": {"$in": _UNASKED},
            },
            {"fields": 1, "owner": 1, "audience": 1},
            sort=[("seq", 1)],
            limit=most,
        )
    )
    for row in rows:
        token = row["fields"]
        if row["audience"] in audiences[row["owner"]]:
            card = Card(token["uid"], token["type"], token.get("group_id"))
            found.setdefault(ids.folded_tag(ids.id_tag(card.uid)), card)
    return list(found.values())


async def send(store: DbInterface, station: str, ask: Ask, *, party: str | None) -> LocalList:
    """Give it the cards, all of them or those of a party, and keep the list up to date from now
    on. Raises ListNotSent, and whatever `ask` does."""
    known = await configurations.get(store.db, station)
    takes = _number(known, _LENGTH_KEYS) or MAX_CARDS
    cards = await cards_of(store, party, takes + 1)
    if len(cards) > takes:
        raise ListNotSent(f"it takes {takes} cards, and there are more: name a party")
    version = await _version(ask)
    part = _number(known, _PART_KEYS) or USUAL_PART
    version = await _send(ask, cards, version, part)
    sent: LocalList = {
        "_id": station,
        "party": party,
        "version": version,
        "cards": len(cards),
        "digest": _digest(cards),
        "sent_at": store.db.now(),
    }
    await LISTS.of(store.db).replace_one({"_id": station}, sent, upsert=True)
    return sent


async def empty(store: DbInterface, station: str, ask: Ask) -> None:
    """Take all cards off it, and keep it so no longer. Raises ListNotSent."""
    await _send(ask, [], await _version(ask), USUAL_PART)
    await store.transact(lambda tx: forget(tx, station))


async def bring_up_to_date(store: DbInterface, station: str, ask: Ask) -> bool:
    """Send it anew where the station, or the cards, have changed; whether it was. Raises
    ListNotSent."""
    sent = await of_station(store.db, station)
    if sent is None:
        return False
    cards = await cards_of(store, sent["party"], MAX_CARDS)
    if _digest(cards) == sent["digest"] and await _version(ask) == sent["version"]:
        return False
    await send(store, station, ask, party=sent["party"])
    return True


async def forget(tx: Tx, station: str) -> None:
    await LISTS.of(tx).delete_one({"_id": station})


async def _version(ask: Ask) -> int:
    said = await ask("local_list_version", {})
    version = said.get("version")
    if said.get("result") != _ACCEPTED or not isinstance(version, int) or version < 0:
        raise ListNotSent(str(said.get("message") or "it has no local list"))
    return version


async def _send(ask: Ask, cards: Sequence[Card], version: int, part: int) -> int:
    """All of it, in parts: the first replaces what there was. Returns the version that it has."""
    for begin in range(0, max(1, len(cards)), part):
        version += 1
        entries = [dict(card._asdict()) for card in cards[begin : begin + part]]
        fields = {"version": version, "full": begin == 0, "entries": entries}
        said = await ask("local_list", fields)
        if said.get("result") != _ACCEPTED:
            raise ListNotSent(str(said.get("message") or said.get("said") or "it would not"))
    return version


async def _held(store: DbInterface) -> set[str]:
    """The parties whose cards charge: of peers that are there, and of hubs' clients."""
    there = {"status": {"$in": [CONNECTED, SUSPENDED]}}
    peers = await PEERS.of(store.db).find(there, {"parties": 1})
    hubs = {"peer_id": {"$in": [peer["_id"] for peer in peers]}, "approved": True}
    clients = await HUB_CLIENTS.of(store.db).find(hubs, {"party": 1})
    own = {party for peer in peers for party in peer.get("parties") or ()}
    return own | {client["party"] for client in clients}


def _number(known: JsonMapping | None, keys: Sequence[str]) -> int | None:
    """What the station's configuration says, where it says a number."""
    entries = {} if known is None else {e["key"]: e.get("value") for e in known.get("entries", ())}
    told = next((entries[key] for key in keys if entries.get(key)), None)
    return int(told) if told is not None and told.isdigit() and int(told) > 0 else None


def _digest(cards: Sequence[Card]) -> str:
    return hashlib.sha256(repr(sorted(cards, key=lambda card: card.uid)).encode()).hexdigest()
