"""Objects that cannot be said in a version: lists in it leave them out, and their numbers do, too.

That costs a list its quick count, so it is asked for only where there are such objects; whether
there are is looked up as rarely as which versions are in use (in_use.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from db_interface.database import Database
from db_interface.demand import Demand
from db_interface.interface import DbInterface
from db_interface.views import View
from domain.views.in_use import LOOKED_UP_EVERY

_KNOWN: WeakKeyDictionary[Database, dict[tuple[str, str], tuple[datetime, bool]]] = (
    WeakKeyDictionary()
)


async def said_in(store: DbInterface, module: str, view: View, required: Demand) -> Demand:
    """The demand on objects of the module with, where it matters, that they have that form."""
    if not await _are_there(store, module, view):
        return required
    return replace(required, said_in=view.name)


async def _are_there(store: DbInterface, module: str, view: View) -> bool:
    known = _KNOWN.setdefault(store.db, {})
    now = store.db.now()
    at, there = known.get((module, view.name), (None, False))
    if at is not None and timedelta(0) <= now - at < LOOKED_UP_EVERY:
        return there
    objects = store.objects(module).of(store.db)
    there = await objects.find_one({"unsaid": view.name}, {"_id": 1}) is not None
    known[module, view.name] = (now, there)
    return there


def look_again(store: DbInterface) -> None:
    """What is there has just changed, for all that this process knows."""
    _KNOWN.pop(store.db, None)
