"""What readers see of the other writers (writers.py), shared by all who ask at about the same time.

One query tells whether any other process has a transaction in flight and, for lists, how many
objects there are. Where nobody was writing, nobody who begins within CALM_FOR_S commits anything in
that time (`Writers._announce`): so long neither is asked again, for the numbers until this process
itself has written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from db_interface.clocks import uptime_s
from db_interface.gathered import Gathered
from db_interface.json_data import JsonObject

if TYPE_CHECKING:
    from db_interface.database import Database

CALM_FOR_S = 0.015
"""For so long a reader takes it that nobody writes, once it has seen that nobody did."""
_ROOM = 1000
"""Rows of one answer: hardly ever more, and then they come in two."""
_NO_NUMBER = ""


@dataclass(frozen=True)
class Seen:
    """What a reader saw of the writers, just before it read."""

    late: bool
    """Another process has a transaction in flight that was stamped before the mark."""
    slow: timedelta
    """So much this process's clock turned out to be behind: the mark should be later."""
    number: int | None = None
    """The number of objects that was asked for; None: none was."""
    oldest: datetime | None = None
    """No other process has a transaction in flight that was stamped before; None: none has any."""


_CALM = Seen(late=False, slow=timedelta())


@dataclass(frozen=True)
class _Look:
    oldest: datetime | None
    """The oldest stamp that others may have in flight."""
    slow_s: float
    number: int | None


class Looks:
    """`others` is the query for those documents of `collection` that are other processes'; a
    further document with the id `always` shows what the server's time is. `told` hears the time,
    and says by how much this process's clock was slow.
    """

    def __init__(
        self,
        db: Database,
        collection: str,
        always: str,
        others: Callable[[], JsonObject],
        told: Callable[[datetime, float], float],
    ) -> None:
        self._db = db
        self._collection = collection
        self._always = always
        self._others = others
        self._told = told
        self._calm_at_s = float("-inf")
        """When it was last seen that no other process was writing, by the host's uptime."""
        self._written = 0
        self._numbers: dict[str, tuple[float, Seen]] = {}
        """By what was counted: when, and the number; of the present calm alone."""
        self._looks: Gathered[_Look] = Gathered(db, self._look, pause_s=0.0)

    def written(self) -> None:
        """This process has changed what lists show."""
        self._written += 1
        self._numbers.clear()

    def calm(self, counted: str | None) -> Seen | None:
        """What still holds of an earlier look; None: it has to be looked."""
        since_s = uptime_s() - CALM_FOR_S
        if counted is None:
            return _CALM if self._calm_at_s >= since_s else None
        known = self._numbers.get(counted)
        return None if known is None or known[0] < since_s else known[1]

    async def look(self, mark: datetime, counted: str | None) -> Seen:
        """`counted`: where the number that is wanted is found (the JSON of {coll, pipeline}: one
        row {n}, or none)."""
        look = await self._looks.get(_NO_NUMBER if counted is None else counted)
        assert look is not None  # noqa: S101 (every look that is asked for is answered)
        late = look.oldest is not None and look.oldest < mark
        return Seen(late, timedelta(seconds=look.slow_s), look.number, look.oldest)

    async def _look(self, asked: Sequence[str]) -> dict[str, _Look]:
        wanted = [each for each in asked if each != _NO_NUMBER]
        stages: list[JsonObject] = [
            {"$match": {"$or": [self._others(), {"_id": self._always}]}},
            {"$project": {"_id": 0, "floor": 1, "now": "$$NOW"}},
        ]
        for place, each in enumerate(wanted):
            part = orjson.loads(each)
            part["pipeline"].append({"$set": {"_id": place}})
            stages.append({"$unionWith": part})
        written, began_s = self._written, uptime_s()
        rows = await self._db.rows(
            self._db[self._collection],
            lambda documents: documents.aggregate(stages, batchSize=_ROOM),
        )
        at_s = uptime_s()
        slow_s = max([self._told(row["now"], at_s) for row in rows if "now" in row], default=0.0)
        floors = [row["floor"] for row in rows if "floor" in row]
        sums = {wanted[row["_id"]]: int(row["n"]) for row in rows if "n" in row}
        numbers = {each: sums.get(each, 0) for each in wanted}
        if not floors:
            self._calm_at_s = began_s
            if written == self._written:
                self._keep(began_s, numbers)
        oldest = min(floors, default=None)
        return {each: _Look(oldest, slow_s, numbers.get(each)) for each in asked}

    def _keep(self, began_s: float, numbers: dict[str, int]) -> None:
        """What was counted before this calm is of no use any more."""
        kept = {k: v for k, v in self._numbers.items() if v[0] >= began_s - CALM_FOR_S}
        new = {each: (began_s, replace(_CALM, number=n)) for each, n in numbers.items()}
        self._numbers = kept | new
