"""How far the pulls of each eMSP's tokens have come, in the store: due, leased, resumed.

Every write names the lease's owner. Pages and their progress are one transaction, so that a
process that dies loses at most the page in its hands.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Change, Collection, Where
from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.lease import Lease
from db_interface.transaction import Tx

LEASE = Lease(owner="lease.owner", until="lease.until")
RESUMED_FOR = timedelta(hours=24)
"""A pull that broke off longer ago than this starts again: the peer's list has moved on."""


class Run(TypedDict, total=False):
    """A pull under way, or one that broke off."""

    started: datetime
    since: datetime
    """When `next_url` was learnt."""
    date_from: datetime
    next_url: str | None
    """The page where it goes on."""
    counts: dict[str, int]


class Last(TypedDict, total=False):
    """The last complete pull."""

    started: datetime
    ended: datetime
    date_from: datetime
    counts: dict[str, int]


class Holder(TypedDict):
    owner: str
    until: datetime


class Pull(TypedDict, total=False):
    """One per peer that has tokens to offer."""

    _id: str
    """peer_id"""
    source: list[str]
    """What the pull depends on (URL, parties); when it changes, everything is pulled again."""
    due: datetime
    """A worker may take it from then on."""
    lease: Holder
    """While a worker pulls; who lost it writes nothing any more."""
    pulled_from: datetime
    """Start of the last complete pull: the next one fetches what changed since."""
    run: Run
    failures: int
    """In a row."""
    problem: str
    """Of the last try, for the operator."""
    last: Last


PULLS: Collection[Pull] = Collection("token_pulls")


class LeaseLost(Exception):
    """Another worker pulls this peer's tokens now: nothing may be written."""


class PullUnderWay(Exception):
    """Another process is pulling this peer's tokens at this moment."""

    def __str__(self) -> str:
        return f"the tokens of {self.args[0]} are being pulled at this moment"


async def follow(db: Database, sources: Mapping[str, Sequence[str]], now: datetime) -> None:
    """Let there be a document for each of these peers (peer_id to source) and for no other.

    New ones, and those whose source changed, are due at once and from the beginning.
    """
    documents = PULLS.of(db)
    known = {row["_id"]: row["source"] for row in await documents.find({}, {"source": 1})}
    for peer_id, source in sources.items():
        if peer_id not in known:
            await documents.update_one(
                {"_id": peer_id},
                {"$setOnInsert": {"source": list(source), "due": now, "failures": 0}},
                upsert=True,
            )
        elif known[peer_id] != list(source):
            await documents.update_one(
                {"_id": peer_id, "source": known[peer_id]},
                {
                    "$set": {"source": list(source), "due": now, "failures": 0},
                    "$unset": {"pulled_from": "", "run": "", "lease": "", "problem": ""},
                },
            )
    gone = [peer_id for peer_id in known if peer_id not in sources]
    if gone:
        await documents.delete_many({"_id": {"$in": gone}})


async def claim_due(db: Database, now: datetime, lease_s: float) -> Pull | None:
    """The peer that is due longest, leased to the caller; None: none is."""
    return await _claim(db, {"due": {"$lte": now}}, lease_s)


async def claim(db: Database, peer_id: str, lease_s: float, *, full: bool = False) -> Pull:
    """That peer, due or not; `full`: from the beginning. Raises PullUnderWay."""
    again = ("pulled_from", "run") if full else ()
    claimed = await _claim(db, {"_id": peer_id}, lease_s, again)
    if claimed is None:
        raise PullUnderWay(peer_id)
    return claimed


async def _claim(
    db: Database, query: JsonMapping, lease_s: float, unset: Sequence[str] = ()
) -> Pull | None:
    change: list[JsonObject] = [{"$set": LEASE.taken(str(uuid.uuid4()), lease_s)}]
    if unset:
        change.append({"$unset": list(unset)})
    return await PULLS.of(db).update_and_find({**query, **LEASE.free}, change, sort=[("due", 1)])


def run_of(claimed: Pull, now: datetime, overlap: timedelta) -> Run:
    """The run to go on with: the one that broke off, or a new one of what changed since the last
    complete one, less `overlap` for clocks that differ."""
    run = claimed.get("run")
    if run is not None and run.get("next_url") and now - run["since"] <= RESUMED_FOR:
        return run.copy()
    return new_run(claimed, now, overlap)


def new_run(claimed: Pull, now: datetime, overlap: timedelta) -> Run:
    """A run from its first page."""
    pulled_from = claimed.get("pulled_from")
    run: Run = {"started": now, "since": now, "counts": {}}
    if pulled_from is not None:
        run["date_from"] = pulled_from - overlap
    return run


async def progressed(tx: Tx, claimed: Pull, run: Run, lease_s: float) -> None:
    """Keep how far the run has come and stay its owner. Raises LeaseLost."""
    written = {"run": {"$literal": dict(run)}, **LEASE.prolonged(lease_s)}
    await _write(tx, claimed, [{"$set": written}])


async def finished(
    db: Database,
    claimed: Pull,
    run: Run,
    now: datetime,
    due: datetime,
) -> None:
    """The run is complete; the next one is due at `due`. Raises LeaseLost."""
    last = {
        "started": run["started"],
        "ended": now,
        "counts": dict(run["counts"]),
        **({"date_from": run["date_from"]} if "date_from" in run else {}),
    }
    await _write(
        db,
        claimed,
        {
            "$set": {"pulled_from": run["started"], "last": last, "due": due, "failures": 0},
            "$unset": {"run": "", "lease": "", "problem": ""},
        },
    )


async def broken_off(db: Database, claimed: Pull, problem: str, due: datetime) -> None:
    """It could not go on; tried again at `due`, from where it was. `problem` holds no secret.
    Raises LeaseLost."""
    await _write(
        db,
        claimed,
        {
            "$set": {"problem": problem[:500], "due": due},
            "$inc": {"failures": 1},
            "$unset": {"lease": ""},
        },
    )


async def _write(where: Where, claimed: Pull, change: Change) -> None:
    mine = {"_id": claimed["_id"], **LEASE.held_by(claimed["lease"]["owner"])}
    if not await PULLS.of(where).update_one(mine, change):
        raise LeaseLost
