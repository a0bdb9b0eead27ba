"""What the ids of an exchange are the ids of, so that its page leads to the things themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from db_interface.database import Database
from db_interface.owned_objects import OwnedObjects
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.commands.command_queue import COMMANDS
from domain.sessions.session_records import SESSIONS

_OBJECTS = ("cdrs", "locations", "tariffs")


class Thing(NamedTuple):
    """`kind`: session, charge point, command, cdrs, locations or tariffs; `key`: what its page is
    found by."""

    id: str
    kind: str
    key: str


async def things_called(db: Database, ids: Sequence[str]) -> list[Thing]:
    """Those of our things that have one of these ids (of an object whatever its case), in the
    order of the ids."""
    folded = [one.lower() for one in ids]
    sessions, points, commands, *objects = await asyncio.gather(
        SESSIONS.of(db).find({"_id": {"$in": list(ids)}}, {"_id": 1}),
        CHARGE_POINTS.of(db).find({"_id": {"$in": list(ids)}}, {"_id": 1}),
        COMMANDS.of(db).find({"_id": {"$in": list(ids)}}, {"_id": 1}),
        *(_objects(db, module, folded) for module in _OBJECTS),
    )
    found = [Thing(row["_id"], "session", row["_id"]) for row in sessions]
    found += [Thing(row["_id"], "charge point", row["_id"]) for row in points]
    found += [Thing(row["_id"], "command", row["_id"]) for row in commands]
    found += [thing for of_module in objects for thing in of_module]
    return sorted(found, key=lambda thing: folded.index(thing.id.lower()))


async def _objects(db: Database, module: str, ids: Sequence[str]) -> list[Thing]:
    rows = await OwnedObjects(db, module).documents(
        {"lid": {"$in": list(ids)}}, fields={"fields.id": 1}, limit=len(ids) or 1
    )
    return [Thing(row["fields"]["id"], module, row["_id"]) for row in rows]
