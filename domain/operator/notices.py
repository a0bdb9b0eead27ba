"""Notices as an operator sees them: what is in trouble, what lately was, and who is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from db_interface.database import Database
from domain.notices import deliveries, matters
from domain.notices.matters import Matter

MAX_LATELY_OVER = 50


@dataclass(frozen=True)
class TargetRow:
    target: str
    waiting: int
    last_told: datetime | None
    reason: str | None
    """Why it did not take the last message; None: it takes them."""
    next_try: datetime | None


@dataclass(frozen=True)
class Notices:
    open: list[Matter]
    over: list[Matter]
    targets: list[TargetRow]
    watched: bool
    """False: what is open is as it was when somebody looked last."""


async def notices(db: Database, targets: Sequence[str]) -> Notices:
    """`targets`: ids of those whom the settings of this process name; others are told, too."""
    rows = []
    for id_, lane, waiting in await deliveries.lanes(db, targets):
        failing = bool(lane.get("failures"))
        rows.append(
            TargetRow(
                id_,
                waiting,
                lane.get("last_told"),
                lane.get("reason") if failing else None,
                lane.get("retry_at") if failing else None,
            )
        )
    return Notices(
        open=await matters.open_ones(db),
        over=await matters.lately_over(db, MAX_LATELY_OVER),
        targets=rows,
        watched=await deliveries.watched(db),
    )
