"""What the operator does to a peer, each with everything that belongs to it: its status, its
marks, the end of its pause. Console, command line and API all come through here.

What has to be marked may be a hundred thousand objects, so it is not one transaction: each
switch first makes the store keep marks for every change from then on, then marks what is there.
Broken off in between, it is simply done again; `missed` on the peer's document remembers that a
blocked peer has not got everything yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.objects.finding import find_object
from domain.outbox import push_lanes
from domain.outbox.marks import (
    PUSHED,
    mark_everything,
    mark_unpublished,
    offers,
    post_again,
    reader_of,
)
from domain.outbox.opening import open_to
from domain.outbox.settling import CHANGES_END_WITHIN
from domain.peers import parties
from domain.peers.claims import PartyTaken, shown
from domain.peers.peer import DEFAULT_QUIRKS
from domain.peers.peer_document import PEERS, PeerDocument, UnknownPeer
from domain.peers.statuses import (
    BLOCKED,
    CONNECTED,
    INVITED,
    MARKED_FOR,
    REGISTERED,
    STATUSES,
    SUSPENDED,
)

ASK_UNKNOWN = "ask_unknown"
"""In a peer's settings: it is asked about cards that nobody has told us of."""

_AWAY = (SUSPENDED, BLOCKED)


class NotPossible(ValueError):
    """The peer's status does not allow it, or it is not a thing to do; the message says why."""


async def suspend(store: DbInterface, peer_id: str) -> int:
    """Push nothing; its own requests are still answered, and its marks are kept."""
    await move(store, peer_id, {"status": SUSPENDED}, (CONNECTED,))
    return 0


async def block(store: DbInterface, peer_id: str) -> int:
    """Refuse its requests and push nothing; of what changes only what is taken away is marked."""
    await move(store, peer_id, {"status": BLOCKED, "missed": True}, MARKED_FOR)
    return 0


async def resume(store: DbInterface, peer_id: str) -> int:
    """Take a suspended or blocked peer back, at once: a pause after failures ends with it. One
    that was blocked is sent everything. How many objects were marked."""
    number = 0
    peer = await peer_of(store, peer_id)
    if peer["status"] == BLOCKED or (peer["status"] == SUSPENDED and peer.get("missed")):
        # Marks are kept from here on, and nothing goes out before all of them are there.
        peer = await move(store, peer_id, {"status": SUSPENDED, "missed": True}, _AWAY)
        number = await mark_everything(store, peer)
        await mark_again_later(store, peer_id)
    # Not from BLOCKED: somebody may have blocked it meanwhile.
    await move(store, peer_id, {"status": CONNECTED, "missed": False}, (SUSPENDED,))
    return number


async def approve(store: DbInterface, peer_id: str) -> int:
    """The operator's yes to the roles that wait. How many there were. What the peer may see by
    that is not sent of itself: it asks for it, or `resync` does."""
    peer = await peer_of(store, peer_id)
    if peer["status"] not in REGISTERED or not peer.get("waiting"):
        raise NotPossible(f"peer {peer_id} is {peer['status']}, and no role of it waits")
    try:
        return len(await parties.approve(store, peer_id))
    except PartyTaken as error:
        raise NotPossible(f"{error}: release the party or move it") from error


async def resync(store: DbInterface, peer_id: str, modules: Sequence[str] = PUSHED) -> int:
    """Push everything anew that it may see; how many objects. A pause ends with it.

    With the CDRs alone, those are sent, too, whose arrival is unclear.
    """
    for module in modules:
        if module not in PUSHED:
            raise NotPossible(f"{module} is not pushed; there are: {', '.join(PUSHED)}")
    peer = await peer_of(store, peer_id)
    if peer["status"] not in MARKED_FOR:
        raise NotPossible(f"peer {peer_id} is {peer['status']}: nothing is pushed to it")
    if tuple(modules) == ("cdrs",):
        await post_again(store.db, peer_id)
    number = await mark_everything(store, peer, modules)
    await move(store, peer_id, {}, MARKED_FOR)
    return number


async def resync_one(store: DbInterface, peer_id: str, module: str, object_id: str) -> int:
    """Push one object anew: 1. Raises NotPossible, NotFoundById."""
    if module not in PUSHED:
        raise NotPossible(f"{module} is not pushed; there are: {', '.join(PUSHED)}")
    peer = await peer_of(store, peer_id)
    if peer["status"] not in MARKED_FOR:
        raise NotPossible(f"peer {peer_id} is {peer['status']}: nothing is pushed to it")
    if not offers(peer, module):
        raise NotPossible(f"peer {peer_id} takes no pushes of {module}")
    found = await find_object(store, module, object_id)
    if module == "cdrs":
        await post_again(store.db, peer_id, found["_id"])
    if not await mark_everything(store, peer, [module], key=found["_id"]):
        raise NotPossible(
            f"{object_id} is not for peer {peer_id}"
            + (", or it has provably had it" if module == "cdrs" else "")
        )
    await move(store, peer_id, {}, MARKED_FOR)
    return 1


async def withdraw(store: DbInterface, peer_id: str) -> None:
    """Take an invitation back that nobody has used: its token is good for nothing at once."""

    async def work(tx: Tx) -> None:
        there = await PEERS.of(tx).find_one({"_id": peer_id}, {"status": 1})
        if there is None:
            raise UnknownPeer(peer_id)
        if there["status"] != INVITED:
            raise NotPossible(f"peer {peer_id} is {there['status']}: no invitation is open")
        await PEERS.of(tx).delete_one({"_id": peer_id})
        await parties.release_all(tx, peer_id)
        await audit.record(
            tx, "peers.withdraw", audit.peer(peer_id), before={"status": INVITED}, after={}
        )

    await store.transact(work)


async def narrow(store: DbInterface, peer_id: str) -> int:
    """From now on it sees published locations only; what it could see besides is taken away.
    How many objects that are."""
    peer = await move(store, peer_id, {"settings.narrowed": True}, REGISTERED)
    return await mark_unpublished(store, peer)


async def widen(store: DbInterface, peer_id: str) -> int:
    """From now on it sees unpublished locations, too, and is sent them. How many."""
    peer = await move(store, peer_id, {"settings.narrowed": False}, REGISTERED)
    # Done again after it was broken off, it opens the same.
    number = await open_to(store, peer, replace(reader_of(peer), narrowed=True))
    await mark_again_later(store, peer_id)
    return number


async def ask_unknown(store: DbInterface, peer_id: str, *, on: bool) -> None:
    """Whether the peer is shown cards that nobody has told us of, for it to say whose they are."""
    await move(store, peer_id, {f"settings.{ASK_UNKNOWN}": on}, STATUSES)


@dataclass(frozen=True)
class Switch:
    """When something can be done with a peer; it is the function of that name in this file."""

    when: tuple[str, ...]
    """The statuses in which it is possible."""
    narrowed: bool | None = None
    """Only possible for a peer that is (not) narrowed; None: for either."""
    waiting: bool = False
    """Only possible where a role waits."""

    def possible(self, status: str, narrowed: bool, waiting: bool) -> bool:
        fits = self.narrowed in (None, narrowed) and (waiting or not self.waiting)
        return fits and status in self.when


SWITCHES: Mapping[str, Switch] = {
    "approve": Switch(REGISTERED, waiting=True),
    "suspend": Switch((CONNECTED,)),
    "resume": Switch(_AWAY),
    "block": Switch(MARKED_FOR),
    "resync": Switch(MARKED_FOR),
    "narrow": Switch(REGISTERED, narrowed=False),
    "widen": Switch(REGISTERED, narrowed=True),
}


def possible_for(peer: PeerDocument | JsonMapping) -> list[str]:
    """Names of what can be done with a peer (its document) as it is."""
    narrowed = bool((peer.get("settings") or {}).get("narrowed"))
    status, waiting = peer["status"], bool(peer.get("waiting"))
    return [name for name, switch in SWITCHES.items() if switch.possible(status, narrowed, waiting)]


async def set_quirk(store: DbInterface, peer_id: str, name: str, value: str) -> None:
    """Note how a peer differs from the specification; `value`: true, false or a number."""
    if name not in DEFAULT_QUIRKS:
        raise NotPossible(f"{name} is not a quirk; there are: {', '.join(DEFAULT_QUIRKS)}")
    await move(store, peer_id, {f"quirks.{name}": _quirk_value(name, value)}, STATUSES)


def _quirk_value(name: str, value: str) -> bool | int | None:
    if name == "page_size":
        if value in ("false", "off"):
            return None
        if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 100_000:
            raise NotPossible("page_size is a number from 1 on, or off for none")
        return int(value)
    if value not in ("true", "false", "on", "off"):
        raise NotPossible(f"{name} is on or off")
    return value in ("true", "on")


async def peer_of(store: DbInterface, peer_id: str) -> PeerDocument:
    """Its document; raises UnknownPeer."""
    found = await PEERS.of(store.db).find_one({"_id": peer_id})
    if found is None:
        raise UnknownPeer(peer_id)
    return found


async def mark_again_later(store: DbInterface, peer_id: str) -> None:
    """A change that is under way does not know of the switch: once it must have ended, what
    changed meanwhile is marked again (by the push)."""
    await push_lanes.settle_at(store.db, peer_id, store.db.now() + CHANGES_END_WITHIN)


async def move(
    store: DbInterface,
    peer_id: str,
    changes: JsonMapping,
    allowed: Sequence[str],
) -> PeerDocument:
    """Change the peer if its status allows it, and let it be tried at once; its document then.

    Raises UnknownPeer, NotPossible. A peer that is there already is left there.
    """

    async def work(tx: Tx) -> PeerDocument:
        there = await PEERS.of(tx).find_one({"_id": peer_id})
        if there is None:
            raise UnknownPeer(peer_id)
        if there["status"] not in (*allowed, changes.get("status")):
            raise NotPossible(f"peer {peer_id} is {there['status']}, not {' or '.join(allowed)}")
        if changes.get("status") == CONNECTED and (lost := await parties.foreign(tx, there)):
            raise NotPossible(f"{', '.join(map(shown, lost))} is another peer's by now")
        await push_lanes.end_pause(tx, peer_id)
        moved = await PEERS.of(tx).update_and_find(
            {"_id": peer_id}, {"$set": {**changes, "updated": tx.now}}
        )
        assert moved is not None  # noqa: S101 (read in this transaction)
        before = {path: field_of(there, path) for path in changes}
        if before != dict(changes):
            await audit.record(
                tx, "peers.change", audit.peer(peer_id), before=before, after=dict(changes)
            )
        return moved

    return await store.transact(work)


def field_of(document: PeerDocument | JsonMapping, path: str) -> object:
    """What stands at a dotted path; None where nothing does."""
    value: object = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
