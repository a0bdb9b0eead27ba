"""The push's side of the marks: what a peer has not seen, in the order in which it fell behind.

Only the holder of the peer's lane (push_lanes.py) may clear or hold its marks. Everything
is read as a majority has it: a state that an election could undo is never sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from db_interface.bulk import delete_each
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from domain.outbox.marks import FOR_EVERY_READER, MARKS, MarkDocument, mark_id
from domain.versions import INNER_VERSION, OcpiVersion
from domain.views.making import made_for, view_of


@dataclass(frozen=True)
class Mark:
    """A mark as it was read; its fields are those of the document (domain/outbox/marks.py)."""

    id: str
    peer_id: str
    module: str
    key: str
    version: str
    since: datetime
    changed: datetime
    whole: bool
    parts: tuple[str, ...]
    known: bool
    attempts: int
    posting: datetime | None
    missed: datetime | None = None
    before_restore: bool = False
    identity: Mapping[str, str] | None = None

    @classmethod
    def of(cls, document: MarkDocument) -> Mark:
        return cls(
            id=document["_id"],
            peer_id=document["peer_id"],
            module=document["module"],
            key=document["key"],
            version=document["version"],
            since=document["since"],
            changed=document["changed"],
            whole=bool(document.get("whole")),
            parts=tuple(document.get("parts") or ()),
            known=bool(document.get("known", True)),
            attempts=document.get("attempts", 0),
            posting=document.get("posting"),
            missed=document.get("missed"),
            before_restore=document.get("before_restore", False),
            identity=document.get("identity"),
        )


@dataclass(frozen=True)
class Present:
    """An object's present state, in the OCPI version of the peer."""

    raw: bytes | None
    """None: that version has nothing to say of it"""
    audience: str
    fields: JsonMapping
    has: Sequence[str] = ()
    """of a location, its fields that a peer can require"""
    groups: Sequence[str] = ()
    shown_id: str | None = None
    """its id in that version, where it may be another than ours"""
    form: OcpiVersion = INNER_VERSION
    inner: bytes = b""
    """where the version's state is not kept: the object as it is"""

    @property
    def id(self) -> str:
        """What the peer knows it by."""
        return self.shown_id or self.fields["id"]


async def due(
    db: Database, peer_id: str, now: datetime, limit: int, without: Collection[str] = ()
) -> list[Mark]:
    """The peer's due marks, longest behind first; `without` are ids that are being dealt with."""
    query: JsonObject = {"peer_id": peer_id, "due": {"$lte": now}}
    if without:
        query["_id"] = {"$nin": list(without)}
    found = await MARKS.of(db).settled().find(query, sort=[("due", 1)], limit=limit)
    return [Mark.of(document) for document in found]


async def present(
    store: DbInterface, marks: Sequence[Mark], form: OcpiVersion = INNER_VERSION
) -> dict[tuple[str, str], Present]:
    """The present states of the marked objects by (module, key); what is gone is left out."""
    keys: dict[str, list[str]] = {}
    view = view_of(form)
    for mark in marks:
        keys.setdefault(mark.module, []).append(mark.key)
    states: dict[tuple[str, str], Present] = {}
    for module, wanted in keys.items():
        found = (
            await store.objects(module)
            .of(store.db)
            .settled()
            .find(
                {"_id": {"$in": wanted}},
                {
                    **view.shown(),
                    "audience": 1,
                    "fields.country_code": 1,
                    "fields.party_id": 1,
                    "fields.id": 1,
                    "fields.session_id": 1,
                    "links.has": 1,
                    "groups": 1,
                },
            )
        )
        unmade = [document for document in found if document.get("unmade")]
        made = await made_for(store.db, module, [row["raw"] for row in unmade], form)
        instead = dict(zip((row["_id"] for row in unmade), made, strict=True))
        for document in found:
            kept = bytes(document["raw"])
            raw = instead.get(document["_id"], kept)
            states[module, document["_id"]] = Present(
                raw,
                document["audience"],
                document["fields"],
                document.get("links", {}).get("has", ()),
                document.get("groups", ()),
                shown_id=_id_in(raw, form),
                form=form,
                inner=kept if document["_id"] in instead else b"",
            )
    return states


def _id_in(raw: bytes | None, form: OcpiVersion) -> str | None:
    """The object's id there; only another version's may be shorter than ours."""
    if raw is None or form is INNER_VERSION:
        return None
    shown: str = orjson.loads(raw)["id"]
    return shown


async def unsent(db: Database, peer_id: str, module: str, keys: Collection[str]) -> set[str]:
    """Which of the keys the peer has not seen and has not refused either."""
    wanted = {
        "_id": {"$in": [mark_id(peer_id, module, key) for key in keys]},
        "error.refused": {"$ne": True},
    }
    return {row["key"] for row in await MARKS.of(db).settled().find(wanted, {"key": 1})}


async def clear(db: Database, seen: Sequence[tuple[str, str]]) -> int:
    """Take away the marks (id, version) whose object has not changed since. How many."""
    return await delete_each(
        MARKS.of(db), [{"_id": id_, "version": version} for id_, version in seen]
    )


async def hold(
    db: Database, mark: Mark, until: datetime, text: str, at: datetime, *, refused: bool
) -> None:
    """Put the mark off after an attempt in vain, saying why. `refused`: the peer has read the
    object and does not want it. A change meanwhile has already brought it forward again."""
    error = {"at": at, "text": text[:300], "refused": refused}
    await MARKS.of(db).update_one(
        {"_id": mark.id, "version": mark.version},
        {"$set": {"due": until, "error": error}, "$inc": {"attempts": 1}},
    )


async def await_party(db: Database, mark: Mark, party: str, until: datetime, at: datetime) -> None:
    """Put the mark off without an attempt: its hub does not reach the folded party now."""
    error = {
        "at": at,
        "text": f"{party.upper()} is not online, says its hub",
        "refused": False,
        "awaits": party,
    }
    await MARKS.of(db).update_one(
        {"_id": mark.id, "version": mark.version}, {"$set": {"due": until, "error": error}}
    )


async def party_is_back(db: Database, peer_id: str, at: datetime) -> None:
    """Bring forward what may have awaited a party behind this hub: what was put off, and what
    the hub has answered with an error of its own."""
    await MARKS.of(db).update_many(
        {
            "peer_id": peer_id,
            "module": {"$nin": list(FOR_EVERY_READER)},
            "error": {"$exists": True},
            "error.refused": {"$ne": True},
        },
        {"$set": {"due": at}, "$unset": {"error": ""}},
    )


async def announce_post(db: Database, mark: Mark, at: datetime) -> str:
    """Note that a CDR's POST goes out now: whoever finds the mark asks before sending again.

    The X-Request-ID that the POST is to bear: that of an earlier one whose outcome is not known.
    """
    fresh = str(uuid.uuid4())
    noted = await MARKS.of(db).update_and_find(
        {"_id": mark.id},
        [
            {"$set": {"posting": at, "request_id": {"$ifNull": ["$request_id", fresh]}}},
            {"$unset": "missed"},
        ],
    )
    return fresh if noted is None else noted["request_id"]


async def look_again(db: Database, mark: Mark, until: datetime, missed: datetime | None) -> None:
    """Put off, without an attempt, a CDR whose POST may still be on its way through the peer's
    house. `missed`: it has been asked once, and had not got it."""
    changes: MarkDocument = {"due": until}
    if missed is not None:
        changes["missed"] = missed
    await MARKS.of(db).update_one({"_id": mark.id}, {"$set": changes})


async def disproved(db: Database, mark: Mark, *, answered: bool) -> None:
    """The POST was not taken after all. `answered`: the peer has dealt with this request, and the
    next one is another."""
    gone = {"posting": "", "missed": ""}
    if answered:
        gone["request_id"] = ""
    await MARKS.of(db).update_one({"_id": mark.id}, {"$unset": gone})


async def forget(db: Database, peer_id: str) -> None:
    await MARKS.of(db).delete_many({"peer_id": peer_id})


async def marked_peers(db: Database) -> list[str]:
    return await MARKS.of(db).distinct("peer_id")


@dataclass(frozen=True)
class HeldBack:
    """For the operator: an object that a peer has not taken, and why."""

    module: str
    object: str
    since: datetime
    next_try: datetime
    attempts: int
    reason: str


async def held_back(db: Database, peer_id: str, limit: int) -> list[HeldBack]:
    """What was tried in vain, the next to be tried first."""
    rows = await MARKS.of(db).find(
        {"peer_id": peer_id, "error": {"$exists": True}},
        {"parts": 0, "version": 0},
        sort=[("due", 1)],
        limit=limit,
    )
    return [
        HeldBack(
            module=row["module"],
            object=row["key"],
            since=row["since"],
            next_try=row["due"],
            attempts=row.get("attempts", 0),
            reason=row["error"]["text"],
        )
        for row in rows
    ]
