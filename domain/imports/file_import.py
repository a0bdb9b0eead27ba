"""Taking over OCPI objects from files: the same for every module that can be imported.

What can be understood is taken; a single object that cannot is refused with its id, field and
reason, and the others go in. An object that is the same as the stored one changes nothing.
Only parties of this platform are taken, for peers get every object under its party's name.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.imports.json_rows import printable
from domain.imports.report import Change, Report
from domain.imports.seen_keys import SeenKeys
from domain.log_events import event
from domain.operators.actor import current_actor
from domain.outbox.publishing import publish_all, would_be
from domain.schemas import SchemaError

BATCH = 200
logger = logging.getLogger("cpo.imports")

MAX_NAMED = 20
"""Of a batch of locations, in its audit entry."""
CHANGING = ("created", "updated")


class Refused(ValueError):
    """Valid, but not to be taken; the message says why."""


@dataclass(frozen=True)
class Understood:
    """An object out of a row, what is odd in it, and how it differs from the row."""

    obj: OwnedObject
    warnings: Sequence[str] = ()
    changes: Sequence[Change] = ()


Read = Callable[[JsonObject], Understood]
"""Raises SchemaError or Refused."""

Guard = Callable[[Sequence[OwnedObject], Tx], Awaitable[dict[str, str]]]
"""Which of the objects, by key, must not be written over, and why."""


class Amended(NamedTuple):
    """The objects with what the operator has said of them, and what keeps that beside them."""

    objects: Sequence[OwnedObject]
    keep: Callable[[], Awaitable[None]]


Amend = Callable[[Sequence[OwnedObject], Tx], Awaitable[Amended]]


async def as_they_are(objects: Sequence[OwnedObject], tx: Tx) -> Amended:
    return Amended(objects, _nothing)


async def _nothing() -> None:
    pass


async def nothing_guarded(objects: Sequence[OwnedObject], tx: Tx) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Importing:
    """What is imported, and for whom."""

    module: str
    read: Read
    hosted: frozenset[str]
    """The parties that are taken, folded ("nl*evc")."""
    owner: tuple[str, str] | None = None
    """(country_code, party_id) that takes everything over as its own."""
    force: bool = False
    """Take other parties, too."""
    guard: Guard = nothing_guarded
    amend: Amend = as_they_are
    seen: SeenKeys = field(default_factory=SeenKeys)

    def understood(self, rows: Iterable[Any], report: Report) -> Iterator[OwnedObject]:
        """The rows that can be taken, as objects; the others go into the report."""
        for position, row in enumerate(rows):
            what = f"#{position + 1}"
            if not isinstance(row, dict):
                report.refuse(what, f"is {type(row).__name__}, not an object")
                continue
            if isinstance(row.get("id"), str) and row["id"]:
                what = printable(row["id"], 80)
            try:
                found = self.read(self._owned(row))
            except (SchemaError, Refused) as error:
                report.refuse(what, str(error))
                continue
            obj = found.obj
            if not self.seen.add(obj.key):
                report.refuse(what, "is listed twice in the file (ids ignore case)")
                continue
            if obj.owner not in self.hosted:
                party = f"{obj.country_code}/{obj.party_id}"
                if not self.force:
                    report.refuse_foreign(what, party)
                    continue
                report.foreign[party] += 1
            for text in found.warnings:
                report.warn(what, text)
            for change in found.changes:
                report.changed(what, change)
            yield obj

    async def take_over(
        self, store: DbInterface, objects: Sequence[OwnedObject], report: Report
    ) -> None:
        """Keep a batch in one transaction and count it in the report."""

        async def work(tx: Tx) -> tuple[list[str], dict[str, str]]:
            guarded = await self.guard(objects, tx)
            free = [obj for obj in objects if obj.key not in guarded]
            amended = await self.amend(free, tx)
            outcomes = await publish_all(store, self.module, amended.objects, tx)
            await amended.keep()
            await _record(tx, self.module, free, outcomes)
            return outcomes, guarded

        self._count(objects, *await store.transact(work), report)

    async def try_over(
        self, store: DbInterface, objects: Sequence[OwnedObject], report: Report
    ) -> None:
        """What `take_over` would do, into the report; nothing is written."""

        async def work(tx: Tx) -> tuple[list[str], dict[str, str]]:
            guarded = await self.guard(objects, tx)
            free = [obj for obj in objects if obj.key not in guarded]
            amended = await self.amend(free, tx)
            return await would_be(store, self.module, amended.objects, tx), guarded

        self._count(objects, *await store.transact(work), report)

    def _owned(self, row: JsonObject) -> JsonObject:
        if self.owner is None:
            return row
        return {**row, "country_code": self.owner[0], "party_id": self.owner[1]}

    def _count(
        self,
        objects: Sequence[OwnedObject],
        outcomes: list[str],
        guarded: dict[str, str],
        report: Report,
    ) -> None:
        report.count(outcomes)
        for obj in objects:
            if obj.key in guarded:
                report.refuse(obj.key_parts[-1], guarded[obj.key])


async def _record(
    tx: Tx, module: str, objects: Sequence[OwnedObject], outcomes: Sequence[str]
) -> None:
    """One entry for each batch: a file may hold a hundred thousand objects. Tariffs, which are
    prices, are named each."""
    changed = [
        (obj, outcome)
        for obj, outcome in zip(objects, outcomes, strict=True)
        if outcome != "unchanged"
    ]
    if not changed:
        return
    about = audit.tariff if module == "tariffs" else audit.location
    named = [obj.key_parts[-1] for obj, _ in changed]
    shown = named if module == "tariffs" else named[:MAX_NAMED]
    numbers = {kind: sum(outcome == kind for _, outcome in changed) for kind in CHANGING}
    await audit.record(tx, f"{module}.import", *map(about, shown), after=numbers)
    actor = current_actor()
    tx.say(
        event(logger, "objects.imported", module=module, by=actor.name, **numbers),
        "%d %s imported by %s: %s",
        len(changed),
        module,
        actor.name,
        ", ".join(f"{number} {kind}" for kind, number in numbers.items()),
    )
