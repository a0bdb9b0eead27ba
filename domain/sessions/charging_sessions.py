"""What happens to charging sessions: they begin, are metered, end, or are given up.

Every function works inside a transaction, may be called twice with the same news, and takes
news of a session that is over for what it is: nothing of a final Session changes any more, and a
CDR never. States: session_states. What a document holds, and how it is written: session_records.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from db_interface.transaction import Tx
from domain.objects import OcpiObject
from domain.pricing import PricingInputError
from domain.sessions.session_document import ChargingSession, Unbilled
from domain.sessions.session_opening import (
    ConnectorBusy,
    end_reserved,
    open_reservation,
    open_session,
)
from domain.sessions.session_records import (
    Rules,
    get,
    running_session,
    save,
    session_of_reservation,
    set_beside,
    stop_was_told,
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
    "ChargingSession",
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
]

logger = logging.getLogger("cpo.sessions")

_MAX_CLOCK_SKEW = timedelta(minutes=5)
"""Beyond it a charge point's times are not believed."""
_NEWS_WH = 0.1  # OCPI's four decimals of a kWh: less is no more energy


class UnknownSession(Exception):
    """There is no session of that id."""


async def session_began(
    tx: Tx,
    session_id: str,
    *,
    at: datetime,
    register_wh: float | None = None,
    rules: Rules = Rules(),
) -> str:
    """The charge point lets the car charge since `at`; the status after it. Raises
    UnknownSession."""
    document = await _known(tx, session_id)
    if Status(document["status"]) in FINAL:
        await _too_late(tx, document, 0.0, at, "it began after its end")
        return document["status"]
    return (await _begin(tx, document, at, register_wh, rules))["status"]


async def meter_reading(
    tx: Tx,
    session_id: str,
    reading: Reading,
    *,
    register_wh: float | None = None,
    soc: float | None = None,
    rules: Rules = Rules(),
) -> str:
    """A meter value; the status after it. Raises UnknownSession.

    The Session is published when its course takes a turn, else every `rules.update_every_s`.
    """
    document = await _known(tx, session_id)
    if Status(document["status"]) in FINAL:
        why = "it was metered after its end"
        await _too_late(tx, document, reading.energy_wh, reading.at, why)
        return document["status"]
    if document["started"] is None:
        start_wh = None if register_wh is None else max(0.0, register_wh - reading.energy_wh)
        document = await _begin(tx, document, reading.at, start_wh, rules)
    reading = _in_order(document, reading, tx.now)
    segments = _followed(document, reading)
    changes: ChargingSession = {
        "energy_wh": reading.energy_wh,
        "last_at": reading.at,
        "last_heard": max(tx.now, document["last_heard"]),
        "power_w": reading.power_w,
        "soc": soc,
        "segments": segments,
    }
    turned = len(segments) != len(document["segments"]) or (
        segments[-1]["kind"] != document["segments"][-1]["kind"]
    )
    after = await save(tx, document, changes, rules, at_once=turned)
    return after["status"]


async def session_ended(
    tx: Tx,
    session_id: str,
    *,
    at: datetime,
    energy_wh: float,
    reason: str,
    signed_data: OcpiObject | None = None,
    rules: Rules = Rules(),
) -> str:
    """The charge point ended the session, or says that it will never begin; the status after it.

    `signed_data`: a valid OCPI SignedData. Raises UnknownSession.
    """
    document = await _known(tx, session_id)
    if Status(document["status"]) in FINAL:
        await _too_late(tx, document, energy_wh, at, f"it ended late: {reason}")
        await stop_was_told(tx, session_id)
        return document["status"]
    if document["started"] is None:
        if energy_wh <= 0:
            return await _never_began(tx, document, reason, rules)
        document = await _begin(tx, document, document["created"], None, rules)
    reading = _in_order(document, Reading(at, energy_wh), tx.now)
    changes: ChargingSession = {
        "energy_wh": reading.energy_wh,
        "last_at": reading.at,
        "segments": _followed(document, reading, closing=True),
        "power_w": 0.0,
    }
    if signed_data is not None:
        changes["signed_data"] = dict(signed_data)
    return await _finish(tx, document, changes, reading.at, reason, rules)


async def abandon(tx: Tx, session_id: str, reason: str, rules: Rules = Rules()) -> str | None:
    """Give a session up of which nothing more is expected; the status after it, None: unknown.

    PENDING ends INVALID; ACTIVE ends COMPLETED at its latest meter value, with what was measured.
    A start on a reservation that failed leaves the reservation, unless that is over.
    """
    document = await get(tx, session_id)
    if document is None:
        return None
    if Status(document["status"]) in FINAL:
        return document["status"]
    if document["status"] == Status.RESERVATION:
        if document.get("reservation_over") is None:
            await save(tx, document, {"running": False}, rules, at_once=True)
            return document["status"]
        await end_reserved(
            tx,
            document,
            expired=document["reservation_over"] == "expired",
            at=document.get("reservation_over_at"),
            rules=rules,
        )
        return Status.COMPLETED.value
    if document["started"] is None:
        return await _never_began(tx, document, reason, rules)
    return await _finish(tx, document, {}, document["last_at"], reason, rules)


async def end_reservation(
    tx: Tx,
    reservation_id: str,
    *,
    expired: bool,
    at: datetime | None = None,
    rules: Rules = Rules(),
) -> str | None:
    """The reservation is over (since `at`, if not now) and nobody charged on it: its Session is
    COMPLETED, with a CDR if the tariff bills it (`expired`: as RESERVATION_EXPIRES). The Session's
    id; None: none was open.

    While its driver is just starting, the start decides.
    """
    reserved = await session_of_reservation(tx, reservation_id)
    if reserved is None:
        return None
    if reserved["running"]:
        over: ChargingSession = {
            "reservation_over": "expired" if expired else "ended",
            "reservation_over_at": at or tx.now,
        }
        await save(tx, reserved, over, rules, at_once=False)
        return reserved["_id"]
    return await end_reserved(tx, reserved, expired=expired, at=at, rules=rules)


async def _known(tx: Tx, session_id: str) -> ChargingSession:
    document = await get(tx, session_id)
    if document is None:
        raise UnknownSession(session_id)
    return document


async def _begin(
    tx: Tx,
    document: ChargingSession,
    at: datetime,
    register_wh: float | None,
    rules: Rules,
) -> ChargingSession:
    if document["started"] is not None:
        return document
    status = next_status(document["status"], Event.BEGAN)
    assert status is not None  # noqa: S101 (callers have looked for final states)
    if not document["created"] - _MAX_CLOCK_SKEW <= at <= tx.now + _MAX_CLOCK_SKEW:
        logger.warning("session %s: its charge point's clock is wrong", document["_id"])
        at = min(max(at, document["created"]), tx.now)
    at = to_milliseconds(at)
    segments = document["segments"]
    if segments:
        at = max(at, segments[-1]["start"])
    tariff_id = in_force(document["tariffs"], at, document["token"], document.get("preferences"))
    changes: ChargingSession = {
        "status": status.value,
        "running": True,
        "started": at,
        "last_at": at,
        "last_heard": max(tx.now, document["last_heard"]),
        "register_start_wh": register_wh,
        "segments": [*segments, opening(at, Kind.CHARGING, tariff_id)],
    }
    return await save(tx, document, changes, rules, at_once=True)


async def _never_began(tx: Tx, document: ChargingSession, reason: str, rules: Rules) -> str:
    if document["status"] == Status.RESERVATION:
        await end_reserved(tx, document, expired=False, rules=rules)
        return Status.COMPLETED.value
    return await _finish(tx, document, {}, max(tx.now, document["created"]), reason, rules)


async def _finish(
    tx: Tx,
    document: ChargingSession,
    changes: ChargingSession,
    ended: datetime,
    reason: str,
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
    await save(tx, document, changes, rules, at_once=True)
    logger.info("session %s %s: %s", document["_id"], status.value, reason)
    return status.value


def _in_order(document: ChargingSession, reading: Reading, now: datetime) -> Reading:
    """The reading with a time and an energy that do not fall behind what is known."""
    at = now if reading.at > now + _MAX_CLOCK_SKEW else reading.at
    at = max(to_milliseconds(at), document["last_at"])
    energy_wh = max(reading.energy_wh, document["energy_wh"])
    return Reading(**{**reading.__dict__, "at": at, "energy_wh": energy_wh})


def _followed(
    document: ChargingSession, reading: Reading, *, closing: bool = False
) -> list[Segment]:
    segments = document["segments"]
    last = document["last_at"], document["energy_wh"]
    tariffs, zone = document["tariffs"], document["time_zone"]
    try:
        if closing:
            return cut_at_boundaries(segments, *last, reading, tariffs, zone)
        at = document["started"] or document["created"]
        tariff_id = segments[-1]["tariff_id"]
        if document.get("preferences"):
            # Drivers who change their mind pay another tariff from here on; otherwise the tariff
            # of the start holds to the end.
            tariff_id = in_force(tariffs, at, document["token"], document["preferences"])
        return followed(segments, *last, reading, tariffs, tariff_id, zone)
    except PricingInputError as error:
        logger.error("session %s: its course has no price: %s", document["_id"], error)
        return segments


async def _too_late(
    tx: Tx, document: ChargingSession, energy_wh: float, at: datetime, why: str
) -> None:
    """Note what the final Session and its CDR cannot hold any more, for the operator to see."""
    more_wh = energy_wh - document["energy_wh"]
    never_billed = document["status"] == Status.INVALID and document.get("unbilled") is None
    if more_wh <= _NEWS_WH and not (never_billed and why.startswith("it began")):
        return
    if document.get("unbilled") is None:
        logger.warning("session %s is over, but %s", document["_id"], why)
    noted = document.get("unbilled")
    known_wh = 0.0 if noted is None else noted["energy_wh"]
    unbilled: Unbilled = {
        "energy_wh": round(max(more_wh, known_wh, 0.0), 3),
        "at": at,
        "why": why,
    }
    await set_beside(tx, document["_id"], {"unbilled": unbilled, "to_stop": True})
