"""Claims: which peer a party is. One document per party, so one holder at a time, whatever the
holder's status: written in the transaction of the credentials, let go by the operator alone.

A claim has epochs. What is made for a party (its tokens, sessions, CDRs) bears the audience of
the epoch in which it was made: "nl*tnm", later "nl*tnm#1". A new holder begins a new epoch, and
so sees nothing of the earlier one's, unless the operator has moved the party with its history.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.transaction import Tx

BY_PEER = "peer"
BY_OPERATOR = "operator"
AT_START = "start"


class ClaimDocument(TypedDict, total=False):
    """A document of `party_claims`."""

    _id: str
    """the folded party: "nl*tnm" """
    peer_id: str | None
    """the holder; None: the operator has released it"""
    last: str | None
    """the latest holder (or the hub that it is lent to), who finds its own again if it comes
    back"""
    since: datetime
    by: str
    """who gave it: "peer" (its credentials, within its terms), "operator", "start" (a store of
    before there were claims)"""
    history: list[str]
    """the audience of every epoch, the present one last"""
    audiences: list[str]
    """those of the holder: its own epoch, and what was moved to it"""


CLAIMS: Collection[ClaimDocument] = Collection("party_claims")


class PartyTaken(ValueError):
    """Another peer holds the party: `party` (folded), `holder` (a peer id)."""

    def __init__(self, party: str, holder: str) -> None:
        super().__init__(f"{shown(party)} is held by {holder}")
        self.party = party
        self.holder = holder


class NoClaim(ValueError):
    """Nobody holds the party."""

    def __init__(self, party: str) -> None:
        super().__init__(f"nobody holds {shown(party)}")


def shown(party: str) -> str:
    """A folded party as people read it: "NL/TNM"."""
    return party.upper().replace("*", "/")


async def of(where: Where, party: str) -> ClaimDocument | None:
    return await CLAIMS.of(where).find_one({"_id": party})


async def held_by(where: Where, peer_id: str) -> list[ClaimDocument]:
    return await CLAIMS.of(where).find({"peer_id": peer_id}, sort=[("_id", 1)])


async def current(where: Where, party: str) -> str:
    """The audience of what is made for the party now."""
    claim = await of(where, party)
    return party if claim is None else claim["history"][-1]


async def audiences_of(where: Where, party: str) -> list[str]:
    """The audiences that are the party's now: those of its holder, or of its latest one."""
    claim = await of(where, party)
    return [party] if claim is None else claim["audiences"]


async def history_of(where: Where, party: str) -> list[str]:
    """The audiences of all that was ever made for the party."""
    claim = await of(where, party)
    return [party] if claim is None else claim["history"]


async def check_free(where: Where, party: str, peer_id: str) -> None:
    """Raises PartyTaken when another peer holds it."""
    claim = await of(where, party)
    if claim is not None and claim["peer_id"] not in (None, peer_id):
        raise PartyTaken(party, str(claim["peer_id"]))


async def take(tx: Tx, party: str, peer_id: str, by: str) -> list[str]:
    """The peer holds the party from now on; the audiences that are open to it by that.

    Raises PartyTaken. Of two at once the later one runs again and finds it taken.
    """
    claim = await of(tx, party)
    if claim is None:
        claim = {
            "_id": party,
            "peer_id": peer_id,
            "last": peer_id,
            "since": tx.now,
            "by": by,
            "history": [party],
            "audiences": [party],
        }
        await CLAIMS.of(tx).insert_one(claim)
        return claim["audiences"]
    if claim["peer_id"] == peer_id:
        return claim["audiences"]
    if claim["peer_id"] is not None:
        raise PartyTaken(party, claim["peer_id"])
    change: ClaimDocument = {"peer_id": peer_id, "last": peer_id, "since": tx.now, "by": by}
    if claim["last"] != peer_id:
        epoch = f"{party}#{len(claim['history'])}"
        change |= {"history": [*claim["history"], epoch], "audiences": [epoch]}
    await CLAIMS.of(tx).update_one({"_id": party}, {"$set": change})
    return change.get("audiences", claim["audiences"])


async def lend(tx: Tx, party: str, hub_id: str) -> list[str]:
    """Nobody's party is reached through this hub from now on; the audiences that are open to the
    hub by that. A platform of the party's own may still take it, in a new epoch.

    Raises PartyTaken.
    """
    claim = await of(tx, party)
    if claim is None:
        lent: ClaimDocument = {
            "_id": party,
            "peer_id": None,
            "last": hub_id,
            "since": tx.now,
            "by": BY_OPERATOR,
            "history": [party],
            "audiences": [party],
        }
        await CLAIMS.of(tx).insert_one(lent)
        return lent["audiences"]
    if claim["peer_id"] not in (None, hub_id):
        raise PartyTaken(party, str(claim["peer_id"]))
    if claim["last"] == hub_id:
        return claim["audiences"]
    epoch = f"{party}#{len(claim['history'])}"
    change: ClaimDocument = {
        "last": hub_id,
        "since": tx.now,
        "by": BY_OPERATOR,
        "history": [*claim["history"], epoch],
        "audiences": [epoch],
    }
    await CLAIMS.of(tx).update_one({"_id": party}, {"$set": change})
    return change["audiences"]


async def let_go(tx: Tx, party: str) -> str:
    """The operator releases the party; who held it. Raises NoClaim."""
    claim = await of(tx, party)
    if claim is None or claim["peer_id"] is None:
        raise NoClaim(party)
    await CLAIMS.of(tx).update_one({"_id": party}, {"$set": {"peer_id": None}})
    return claim["peer_id"]


async def hand_over(tx: Tx, party: str, peer_id: str) -> None:
    """The operator gives the party to the peer, with all that was ever made for it."""
    claim = await of(tx, party)
    history = [party] if claim is None else claim["history"]
    moved: ClaimDocument = {
        "_id": party,
        "peer_id": peer_id,
        "last": peer_id,
        "since": tx.now,
        "by": BY_OPERATOR,
        "history": history,
        "audiences": list(history),
    }
    await CLAIMS.of(tx).replace_one({"_id": party}, moved, upsert=True)
