"""What the lists of OCPI objects have in common: where they are, and how many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from db_interface.collection import Documents
from db_interface.counters import COUNTS
from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedDocument, OwnedObjects
from domain.listing.listing import Question, Stored
from domain.paging import Order

NEWEST = Order("newest", "newest first", [("seq", -1)])
OLDEST = Order("oldest", "oldest first", [("seq", 1)])


def stored(
    module: str,
    question: Callable[[Database, JsonObject], Awaitable[Question]],
    fields: JsonMapping,
) -> Stored[OwnedDocument]:
    """The objects of a module, whoever may see them."""

    def of(db: Database) -> Documents[OwnedDocument]:
        return OwnedObjects(db, module).of(db)

    async def number(db: Database) -> int:
        return await total(db, module)

    return Stored(of, question, fields, number)


async def total(db: Database, module: str) -> int:
    """How many objects a module has, whoever may see them; counted as they were written."""
    return sum(row["n"] for row in await COUNTS.of(db).find({"module": module}, {"n": 1}))


def fields_of(*names: str) -> dict[str, int]:
    """A projection of an object's fields, with what its place in the list needs."""
    return {"seq": 1, "lid": 1, "owner": 1, **{f"fields.{name}": 1 for name in names}}
