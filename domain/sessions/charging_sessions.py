"""What happens to charging sessions: they begin, are metered, end, or are given up.

Every function is called inside a transaction, may be called twice with the same news, and takes
news of a session that is over for what it is: nothing of a final Session changes any more, and a
CDR never. States: session_states. What a document holds, and how it is written: session_records.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.pricing import PricingInputError
from domain.sessions.session_opening import (
    ConnectorBusy,
    end_reserved,
    open_reservation,
    open_session,
    reserved_session,
)
from domain.sessions.session_records import (
    COLLECTION,
    Document,
    Rules,
    get,
    running_session,
    save,
    session_of_token,
)
from domain.sessions.session_segments import (
    Kind,
    Reading,
    Segment,
    cut_at_boundaries,
    followed,
    opening,
)
from domain.sessions.session_states import FINAL, Event, Status, next_status
from domain.sessions.tariff_choice import in_force
from domain.times import to_milliseconds

__all__ = [
    "COLLECTION",
    "ConnectorBusy",
    "Rules",
    "UnknownSession",
    "abandon",
    "end_reservation",
    "get",
    "meter_reading",
    "open_reservation",
    "open_session",
    "running_session",
    "session_began",
    "session_ended",
    "session_of_token",
]

logger = logging.getLogger("cpo.sessions")

_CLOCKS_APART = timedelta(minutes=5)
"""So far a charge point's clock may be from ours before its times are not believed."""
_NEWS_WH = 0.1  # OCPI's four decimals of a kWh: less is no more energy


class UnknownSession(Exception):
    """There is no session of that id."""


async def session_began(
    store: DbInterface,
    session_id: str,
    *,
    at: datetime,
    now: datetime,
    tx: Tx,
    register_wh: float | None = None,
    rules: Rules = Rules(),
) -> str:
    """The charge point lets the car charge since `at`; the status after it. Raises
    UnknownSession."""
    document = await _known(store, session_id, tx)
    if Status(document["status"]) in FINAL:
        await _too_late(store, document, 0.0, at, "it began after its end", tx)
        return document["status"]
    return (await _begin(store, document, at, register_wh, now, tx, rules))["status"]


async def meter_reading(
    store: DbInterface,
    session_id: str,
    reading: Reading,
    *,
    now: datetime,
    tx: Tx,
    register_wh: float | None = None,
    soc: float | None = None,
    rules: Rules = Rules(),
) -> str:
    """A meter value; the status after it. Raises UnknownSession.

    The Session is published when its course takes a turn, else every `rules.update_every_s`.
    """
    document = await _known(store, session_id, tx)
    if Status(document["status"]) in FINAL:
        why = "it was metered after its end"
        await _too_late(store, document, reading.energy_wh, reading.at, why, tx)
        return document["status"]
    if document["started"] is None:
        start_wh = None if register_wh is None else max(0.0, register_wh - reading.energy_wh)
        document = await _begin(store, document, reading.at, start_wh, now, tx, rules)
    reading = _in_order(document, reading, now)
    segments = _followed(document, reading)
    changes: Document = {
        "energy_wh": reading.energy_wh,
        "last_at": reading.at,
        "last_heard": max(now, document["last_heard"]),
        "power_w": reading.power_w,
        "soc": soc,
        "segments": segments,
    }
    turned = len(segments) != len(document["segments"]) or (
        segments[-1]["kind"] != document["segments"][-1]["kind"]
    )
    after = await save(store, document, changes, now, tx, rules, at_once=turned)
    return after["status"]


async def session_ended(
    store: DbInterface,
    session_id: str,
    *,
    at: datetime,
    energy_wh: float,
    reason: str,
    now: datetime,
    tx: Tx,
    signed_data: Mapping[str, Any] | None = None,
    rules: Rules = Rules(),
) -> str:
    """The charge point ended the session, or says that it will never begin; the status after it.

    `signed_data`: a valid OCPI SignedData. Raises UnknownSession.
    """
    document = await _known(store, session_id, tx)
    if Status(document["status"]) in FINAL:
        await _too_late(store, document, energy_wh, at, f"it ended late: {reason}", tx)
        await store.db[COLLECTION].update_one(
            {"_id": session_id, "to_stop": True}, {"$unset": {"to_stop": ""}}, session=tx.mongo
        )
        return document["status"]
    if document["started"] is None:
        if energy_wh <= 0:
            return await _never_began(store, document, reason, now, tx, rules)
        document = await _begin(store, document, document["created"], None, now, tx, rules)
    reading = _in_order(document, Reading(at, energy_wh), now)
    changes: Document = {
        "energy_wh": reading.energy_wh,
        "last_at": reading.at,
        "segments": _followed(document, reading, closing=True),
        "power_w": 0.0,
    }
    if signed_data is not None:
        changes["signed_data"] = dict(signed_data)
    return await _finish(store, document, changes, reading.at, reason, now, tx, rules)


async def abandon(
    store: DbInterface,
    session_id: str,
    reason: str,
    now: datetime,
    tx: Tx,
    rules: Rules = Rules(),
) -> str | None:
    """Give a session up of which nothing more is expected; the status after it, None: unknown.

    PENDING ends INVALID; ACTIVE ends COMPLETED at its latest meter value, with what was measured.
    A start on a reservation that failed leaves the reservation, unless that is over.
    """
    document = await get(store.db, session_id, tx)
    if document is None:
        return None
    if Status(document["status"]) in FINAL:
        return document["status"]
    if document["status"] == Status.RESERVATION:
        if document.get("reservation_over") is None:
            changes = {"running": False}
            await save(store, document, changes, now, tx, rules, at_once=True)
            return document["status"]
        await end_reserved(
            store,
            document,
            expired=document["reservation_over"] == "expired",
            at=document.get("reservation_over_at"),
            now=now,
            tx=tx,
            rules=rules,
        )
        return Status.COMPLETED.value
    if document["started"] is None:
        return await _never_began(store, document, reason, now, tx, rules)
    return await _finish(store, document, {}, document["last_at"], reason, now, tx, rules)


async def end_reservation(
    store: DbInterface,
    reservation_id: str,
    *,
    expired: bool,
    now: datetime,
    tx: Tx,
    at: datetime | None = None,
    rules: Rules = Rules(),
) -> str | None:
    """The reservation is over (since `at`, if not now) and nobody charged on it: its Session is
    COMPLETED, with a CDR if the tariff bills it (`expired`: as RESERVATION_EXPIRES). The Session's
    id; None: none was open.

    While its driver is just starting, the start decides.
    """
    reserved = await reserved_session(store, reservation_id, tx)
    if reserved is None:
        return None
    if reserved["running"]:
        over = {
            "reservation_over": "expired" if expired else "ended",
            "reservation_over_at": at or now,
        }
        await save(store, reserved, over, now, tx, rules, at_once=False)
        return reserved["_id"]
    return await end_reserved(store, reserved, expired=expired, at=at, now=now, tx=tx, rules=rules)


async def _known(store: DbInterface, session_id: str, tx: Tx) -> Document:
    document = await get(store.db, session_id, tx)
    if document is None:
        raise UnknownSession(session_id)
    return document


async def _begin(
    store: DbInterface,
    document: Document,
    at: datetime,
    register_wh: float | None,
    now: datetime,
    tx: Tx,
    rules: Rules,
) -> Document:
    if document["started"] is not None:
        return document
    status = next_status(document["status"], Event.BEGAN)
    assert status is not None  # noqa: S101 (callers have looked for final states)
    if not document["created"] - _CLOCKS_APART <= at <= now + _CLOCKS_APART:
        logger.warning("session %s: its charge point's clock is wrong", document["_id"])
        at = min(max(at, document["created"]), now)
    at = to_milliseconds(at)
    segments: list[Segment] = document["segments"]
    if segments:
        at = max(at, segments[-1]["start"])
    tariff_id = in_force(document["tariffs"], at, document["token"], document.get("preferences"))
    changes: Document = {
        "status": status.value,
        "running": True,
        "started": at,
        "last_at": at,
        "last_heard": max(now, document["last_heard"]),
        "register_start_wh": register_wh,
        "segments": [*segments, opening(at, Kind.CHARGING, tariff_id)],
    }
    return await save(store, document, changes, now, tx, rules, at_once=True)


async def _never_began(
    store: DbInterface,
    document: Document,
    reason: str,
    now: datetime,
    tx: Tx,
    rules: Rules,
) -> str:
    if document["status"] == Status.RESERVATION:
        await end_reserved(store, document, expired=False, now=now, tx=tx, rules=rules)
        return Status.COMPLETED.value
    return await _finish(store, document, {}, max(now, document["created"]), reason, now, tx, rules)


async def _finish(
    store: DbInterface,
    document: Document,
    changes: Document,
    ended: datetime,
    reason: str,
    now: datetime,
    tx: Tx,
    rules: Rules,
) -> str:
    status = next_status(document["status"], Event.ENDED)
    assert status is not None  # noqa: S101 (callers have looked for final states)
    changes = {
        **changes,
        "status": status.value,
        "running": False,
        "ended": ended,
        "end_reason": reason,
    }
    await save(store, document, changes, now, tx, rules, at_once=True)
    logger.info("session %s %s: %s", document["_id"], status.value, reason)
    return status.value


def _in_order(document: Document, reading: Reading, now: datetime) -> Reading:
    """The reading with a time and an energy that do not fall behind what is known."""
    at = now if reading.at > now + _CLOCKS_APART else reading.at
    at = max(to_milliseconds(at), document["last_at"])
    energy_wh = max(reading.energy_wh, document["energy_wh"])
    return Reading(**{**reading.__dict__, "at": at, "energy_wh": energy_wh})


def _followed(document: Document, reading: Reading, *, closing: bool = False) -> list[Segment]:
    segments: list[Segment] = document["segments"]
    last = document["last_at"], document["energy_wh"]
    tariffs, zone = document["tariffs"], document["time_zone"]
    try:
        if closing:
            return cut_at_boundaries(segments, *last, reading, tariffs, zone)
        at = document["started"]
        tariff_id = segments[-1]["tariff_id"]
        if document.get("preferences"):
            # A driver who changed his mind pays another tariff from here on; without such a wish
            # the tariff of the start holds to the end.
            tariff_id = in_force(tariffs, at, document["token"], document["preferences"])
        return followed(segments, *last, reading, tariffs, tariff_id, zone)
    except PricingInputError as error:
        logger.error("session %s: its course has no price: %s", document["_id"], error)
        return segments


async def _too_late(
    store: DbInterface,
    document: Document,
    energy_wh: float,
    at: datetime,
    why: str,
    tx: Tx,
) -> None:
    """Note what the final Session and its CDR cannot hold any more, for the operator to see."""
    more_wh = energy_wh - document["energy_wh"]
    never_billed = document["status"] == Status.INVALID and document.get("unbilled") is None
    if more_wh <= _NEWS_WH and not (never_billed and why.startswith("it began")):
        return
    if document.get("unbilled") is None:
        logger.warning("session %s is over, but %s", document["_id"], why)
    known_wh = (document.get("unbilled") or {}).get("energy_wh", 0.0)
    unbilled = {"energy_wh": round(max(more_wh, known_wh, 0.0), 3), "at": at, "why": why}
    await store.db[COLLECTION].update_one(
        {"_id": document["_id"]},
        {"$set": {"unbilled": unbilled, "to_stop": True}},
        session=tx.mongo,
    )
