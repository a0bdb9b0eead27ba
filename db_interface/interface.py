"""`DbInterface`: the store of OCPI objects, and its transactions.

Paging in order of creation with a cursor, visibility by audience, exact counts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from db_interface.collection import write_what_waits
from db_interface.database import Database
from db_interface.joint.works import JointWorks
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedObject, OwnedObjects, plain
from db_interface.pages import Page, PageQuery
from db_interface.transaction import Tx
from db_interface.writers import InFlight

T = TypeVar("T")


class DbInterface:
    """Objects of all OCPI modules; `module` is the OCPI module id ("locations", ...)."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._modules: dict[str, OwnedObjects] = {}
        self._joint, self._brief = JointWorks(self), JointWorks(self)

    async def transact(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run `work(tx)` in one transaction, retried as a whole on transient conflicts.

        `work` may therefore run more than once, each time with a `now` of its own: it must
        change nothing but the database. Raises StoreUnavailable when no server is found in time.
        """

        tx: Tx | None = None

        async def attempt(mongo: object, in_flight: InFlight) -> T:
            nonlocal tx
            tx = Tx(self, mongo, in_flight.now, in_flight)
            result = await work(tx)
            await tx.finish()
            await write_what_waits(tx)
            return result

        result = await self.db.run_in_transaction(attempt)
        assert tx is not None  # noqa: S101 (something was committed)
        for say in tx.said:
            say()
        return result

    async def transact_jointly(
        self, work: Callable[[Tx], Awaitable[T]], key: str, *, brief: bool = False
    ) -> T:
        """`transact`, in one transaction with others that wait at the same time where there is more
        to do than can be done at once.

        `key`: what the work is about (a charge point); what it looks for by a query, and others may
        write, is of this key alone. All that it changes it changes by `tx`, through `Collection`.
        `brief`: it takes few steps, and waits for none that take many.
        """
        joint = self._brief if brief else self._joint
        return cast("T", await joint.transact(work, key))

    def objects(self, module: str) -> OwnedObjects:
        """The module's collection, for callers that need more than these methods."""
        name = str(getattr(module, "value", module))
        if name not in self._modules:
            self._modules[name] = OwnedObjects(self.db, name)
        return self._modules[name]

    async def get(self, module: str, key: str) -> JsonObject | None:
        """The OCPI object under its folded key (owner and id), or None."""
        document = await self.objects(module).document(key)
        return None if document is None else plain(document)

    async def get_all(self, module: str, query: PageQuery) -> Page:
        """One page of the module's objects as bytes, in order of creation."""
        return await self.objects(module).page(query)

    async def create(self, module: str, data: OwnedObject, tx: Tx | None = None) -> str:
        """Write the object; returns "created", or "updated"/"unchanged" when it was there."""
        if tx is not None:
            return await self.objects(module).put(data, tx)
        return await self.transact(lambda tx: self.objects(module).put(data, tx))

    async def delete(self, module: str, key: str, tx: Tx | None = None) -> bool:
        """Remove the object under its folded key; False when there was none."""
        if tx is not None:
            return await self.objects(module).remove(key, tx)
        return await self.transact(lambda tx: self.objects(module).remove(key, tx))
