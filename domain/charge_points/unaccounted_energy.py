"""The alarm for energy that flows at a charge point without a session that we know.

Whoever commands an engine past EV_Central charges free: the engine's own meter values tell of it.
Shown to the operator until a day has passed without any; nothing is billed by it.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.transaction import Tx

logger = logging.getLogger("cpo.central")


class Unaccounted(TypedDict):
    """A document of `unaccounted_energy`."""

    _id: str
    """cp_id, as EV_Registry has it"""
    connector_id: str
    session_id: str
    """what the engine calls the session"""
    energy_wh: float
    power_w: float
    since: datetime
    last: datetime


UNACCOUNTED: Collection[Unaccounted] = Collection("unaccounted_energy")


async def note(
    tx: Tx, cp_id: str, connector_id: str, session_id: str, *, energy_wh: float, power_w: float
) -> None:
    """A meter value of a session that is not known; none without power and energy."""
    if power_w <= 0 and energy_wh <= 0:
        return
    known = await UNACCOUNTED.of(tx).find_one({"_id": cp_id})
    same = known is not None and known["session_id"] == session_id
    found: Unaccounted = {
        "_id": cp_id,
        "connector_id": connector_id,
        "session_id": session_id,
        "energy_wh": energy_wh,
        "power_w": power_w,
        "since": known["since"] if known is not None and same else tx.now,
        "last": tx.now,
    }
    await UNACCOUNTED.of(tx).replace_one({"_id": cp_id}, found, upsert=True)
    if not same:
        tx.say(
            logger.error,
            "CP %s: energy flows without a session that Central knows (%s): "
            "see to it, somebody may be commanding its engine",
            cp_id,
            session_id,
        )


async def number(where: Where) -> int:
    """How many charge points the alarm is on for."""
    return await UNACCOUNTED.of(where).count({"_id": {"$gte": ""}})  # by its index


async def latest(where: Where, limit: int) -> list[Unaccounted]:
    """The charge points that the alarm is on for, the last heard of first."""
    return await UNACCOUNTED.of(where).find({}, sort=[("last", -1)], limit=limit)


async def of(where: Where, cp_id: str) -> Unaccounted | None:
    return await UNACCOUNTED.of(where).find_one({"_id": cp_id})
