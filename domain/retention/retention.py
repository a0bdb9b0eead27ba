"""One pass over what has been kept for long enough: in small parts, with pauses between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from db_interface.database import Database
from domain.charge_points import evse_history
from domain.commands import command_queue
from domain.reservations import reservations
from domain.retention import cards, old_tokens
from domain.sessions import session_trimming

PAUSE_S = 0.05

_Part = Callable[[Database, datetime], AsyncIterator[int]]


@dataclass(frozen=True)
class Keep:
    """Days for each kind; 0: for ever."""

    status_changes: int
    session_details: int
    reservations: int
    commands: int
    tokens: int
    cards: int


@dataclass(frozen=True)
class Forgotten:
    """How many of each."""

    status_changes: int
    session_details: int
    reservations: int
    commands: int
    tokens: int
    cards: int

    @property
    def any(self) -> bool:
        return any(vars(self).values())


async def forget(db: Database, keep: Keep, *, pause_s: float = PAUSE_S) -> Forgotten:
    """Everything that is due now. Broken off, it is gone on with the next time."""
    return Forgotten(
        await _through(db, keep.status_changes, evse_history.forget, pause_s),
        await _through(db, keep.session_details, session_trimming.trim, pause_s),
        await _through(db, keep.reservations, reservations.forget, pause_s),
        await _through(db, keep.commands, command_queue.forget, pause_s),
        await _through(db, keep.tokens, old_tokens.forget, pause_s),
        await _through(db, keep.cards, cards.forget, pause_s),
    )


async def _through(db: Database, days: int, part: _Part, pause_s: float) -> int:
    if not days:
        return 0
    total = 0
    async for number in part(db, db.now() - timedelta(days=days)):
        total += number
        await asyncio.sleep(pause_s)
    return total
