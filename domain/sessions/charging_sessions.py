"""What happens to charging sessions: they begin, are metered, end, or are not started.

Every function works inside a transaction and may be called twice with the same news. News of a
session that is suspect, or was closed without its charge point's word, makes it go on, whenever
it comes; what a charge point says after its own last word is kept for the operator to see.
States: session_states. Silence: session_doubts. How a document is written: session_records.
"""

from __future__ import annotations

import logging
from datetime import datetime
from decimal import Decimal

from db_interface.transaction import Tx
from domain.metering.signed_energy import signed_otherwise
from domain.objects import OcpiObject
from domain.pricing import PricingInputError
from domain.sessions.plausibility import MAX_CLOCK_SKEW, doubt_of_energy, doubt_of_time
from domain.sessions.session_document import ChargingSession, Hold, Unbilled
from domain.sessions.session_opening import (
    ConnectorBusy,
    end_reserved,
    open_reservation,
    open_session,
)
from domain.sessions.session_records import (
    get,
    running_session,
    save,
    session_of_reservation,
    set_beside,
)
from domain.sessions.session_rules import Rules
from domain.sessions.session_segments import (
    Kind,
    Reading,
    Segment,
    cut_at_boundaries,
    followed,
    opening,
)
from domain.sessions.session_states import (
    FINAL,
    REOPENED_AFTER,
    Closed,
    Event,
    Status,
    next_status,
)
from domain.sessions.tariff_choice import in_force
from domain.times import to_milliseconds

__all__ = [
    "ChargingSession",
    "ConnectorBusy",
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

_NEWS_WH = 0.1  # OCPI's four decimals of a kWh: less is no more energy
_OPEN_AGAIN: ChargingSession = {
    "ended": None,
    "closed": None,
    "estimated": False,
    "measured": None,
    "reservation_expired": False,
}


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
    if document["started"] is None:
        document = await _begin(tx, document, at, register_wh, rules)
    elif Status(document["status"]) not in FINAL:
        await _heard(tx, document, rules)
    return document["status"]


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
    if document["started"] is not None and Status(document["status"]) in FINAL:
        if not _goes_on(document):
            await _too_late(tx, document, reading, "it was metered after its end")
            return document["status"]
        if not _is_news(document, reading):
            return document["status"]
        document = await _reopen(tx, document, rules)
    if document["started"] is None:
        start_wh = None if register_wh is None else max(0.0, register_wh - reading.energy_wh)
        document = await _begin(tx, document, reading.at, start_wh, rules, told=False)
    doubt = _doubt(tx, document, reading, register_wh, rules)
    metered, turned = _metered(tx, document, reading, soc)
    changes: ChargingSession = {
        **await _certain(tx, document),
        **_held(tx, document, doubt),
        **metered,
    }
    after = await save(tx, document, changes, rules, at_once=turned)
    return after["status"]


def quiet_reading(
    tx: Tx,
    document: ChargingSession,
    reading: Reading,
    *,
    register_wh: float | None,
    soc: float | None,
    rules: Rules,
) -> ChargingSession | None:
    """What a meter value changes of a session of which nothing else is to be said: no turn and no
    doubt. Its publication may be due. None: it is for `meter_reading`."""
    if document["started"] is None or not document["running"] or document.get("suspect"):
        return None
    if Status(document["status"]) in FINAL:
        return None
    if _doubt(tx, document, reading, register_wh, rules) is not None:
        return None
    metered, turned = _metered(tx, document, reading, soc)
    return None if turned else metered


def _metered(
    tx: Tx, document: ChargingSession, reading: Reading, soc: float | None
) -> tuple[ChargingSession, bool]:
    """What a meter value says, and whether the session's course takes a turn with it."""
    reading = _in_order(document, reading, tx.now)
    segments = _followed(tx, document, reading)
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
    return changes, turned


async def session_ended(
    tx: Tx,
    session_id: str,
    *,
    at: datetime,
    energy_wh: float,
    reason: str,
    register_wh: float | None = None,
    signed_data: OcpiObject | None = None,
    rules: Rules = Rules(),
) -> str:
    """The charge point ended the session, or says that it will never begin; the status after it.

    `signed_data`: a valid OCPI SignedData. Raises UnknownSession.
    """
    document = await _known(tx, session_id)
    if document["started"] is not None and Status(document["status"]) in FINAL:
        if not _goes_on(document):
            await _too_late(tx, document, Reading(at, energy_wh), f"it ended again: {reason}")
            return document["status"]
        document = await _reopen(tx, document, rules)
    if document["started"] is None:
        if energy_wh <= 0:
            if Status(document["status"]) in FINAL:
                return document["status"]
            return await _never_began(tx, document, reason, Closed.CHARGE_POINT, rules)
        document = await _begin(tx, document, document["created"], None, rules)
    reading = Reading(at, energy_wh)
    doubt = _doubt(tx, document, reading, register_wh, rules)
    if doubt is None and signed_data is not None:
        doubt = signed_otherwise(signed_data, Decimal(str(energy_wh)))
    reading = _in_order(document, reading, tx.now)
    changes: ChargingSession = {
        **_held(tx, document, doubt),
        "energy_wh": reading.energy_wh,
        "last_at": reading.at,
        "segments": _followed(tx, document, reading, closing=True),
        "power_w": 0.0,
    }
    if signed_data is not None:
        changes["signed_data"] = dict(signed_data)
    return await finish(tx, document, changes, reading.at, reason, Closed.CHARGE_POINT, rules)


async def abandon(tx: Tx, session_id: str, reason: str, rules: Rules = Rules()) -> str | None:
    """The charge point was not started, and its eMSP is told so; the status after it, None:
    unknown. One that begins all the same is to be stopped.

    PENDING ends INVALID. A start on a reservation that failed leaves the reservation, unless that
    is over. What runs already is stopped, and ends by its charge point's word.
    """
    document = await get(tx, session_id)
    if document is None:
        return None
    if Status(document["status"]) in FINAL:
        return document["status"]
    if document["status"] == Status.RESERVATION:
        return await reservation_goes_on(tx, document, rules)
    if document["started"] is None:
        await set_beside(tx, session_id, {"undone": True})
        return await _never_began(tx, document, reason, Closed.REFUSED, rules)
    await set_beside(tx, session_id, {"undone": True, "to_stop": True})
    return document["status"]


async def reservation_goes_on(tx: Tx, document: ChargingSession, rules: Rules) -> str:
    """The start on a reservation came to nothing; the status after it."""
    if document.get("reservation_over") is None:
        await save(tx, document, {"running": False, "suspect": None}, rules, at_once=True)
        return document["status"]
    await end_reserved(
        tx,
        document,
        expired=document["reservation_over"] == "expired",
        at=document.get("reservation_over_at"),
        rules=rules,
    )
    return Status.COMPLETED.value


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

    While its driver is just starting, or may have started unheard, the start decides.
    """
    reserved = await session_of_reservation(tx, reservation_id)
    if reserved is None:
        return None
    if reserved["running"] or reserved.get("suspect"):
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
    *,
    told: bool = True,
) -> ChargingSession:
    """The first news of it: it goes on from there, whatever we thought of it before."""
    status = next_status(document["status"], Event.BEGAN)
    assert status is not None  # noqa: S101 (it has a row for every state)
    if Status(document["status"]) in FINAL:
        tx.say(logger.warning, "session %s was %s, and began", document["_id"], document["status"])
    doubt = doubt_of_time(document, at, tx.now)
    if doubt is not None:
        tx.say(logger.warning, "session %s: its charge point's clock is wrong", document["_id"])
        at = min(max(at, document["created"]), tx.now)
    at = to_milliseconds(at)
    segments = document["segments"]
    if segments:
        at = max(at, segments[-1]["start"])
    tariff_id = in_force(document["tariffs"], at, document["token"], document.get("preferences"))
    changes: ChargingSession = {
        **await _certain(tx, document),
        **_OPEN_AGAIN,
        **_held(tx, document, doubt),
        "status": status.value,
        "started": at,
        "flows_since": None if told else document["created"],
        "last_at": at,
        "last_heard": max(tx.now, document["last_heard"]),
        "register_start_wh": register_wh,
        "segments": [*segments, opening(at, Kind.CHARGING, tariff_id)],
    }
    if document.get("undone"):
        changes["to_stop"] = True
    return await save(tx, document, changes, rules, at_once=True)


async def _reopen(tx: Tx, document: ChargingSession, rules: Rules) -> ChargingSession:
    """It was closed without its charge point's word, which comes now."""
    status = next_status(document["status"], Event.BEGAN)
    assert status is not None  # noqa: S101 (it has a row for every state)
    tx.say(logger.warning, "session %s goes on: news of it came after all", document["_id"])
    changes: ChargingSession = {**_OPEN_AGAIN, "status": status.value}
    measured = document.get("measured")
    if measured is not None:
        changes = {**changes, **measured}
    return await save(tx, document, changes, rules, at_once=True)


async def _heard(tx: Tx, document: ChargingSession, rules: Rules) -> None:
    """News that say nothing but that the session goes on."""
    changes = await _certain(tx, document)
    if changes:
        changes["last_heard"] = max(tx.now, document["last_heard"])
        await save(tx, document, changes, rules, at_once=False)


async def _certain(tx: Tx, document: ChargingSession) -> ChargingSession:
    """What its charge point's word makes of its certainty: it takes its connector again, unless
    another charges there by now. Then it stays suspect until it ends."""
    if document["running"]:
        return {}
    other = await running_session(tx, document["cp_id"], document["connector_id"])
    if other is None:
        return {"running": True, "suspect": None}
    why = f"session {other['_id']} holds its connector"
    return {"suspect": {"since": tx.now, "why": why}}


async def _never_began(
    tx: Tx, document: ChargingSession, reason: str, closed: Closed, rules: Rules
) -> str:
    if document["status"] == Status.RESERVATION:
        await end_reserved(tx, document, expired=False, rules=rules)
        return Status.COMPLETED.value
    ended = max(tx.now, document["created"])
    return await finish(tx, document, {}, ended, reason, closed, rules)


async def finish(
    tx: Tx,
    document: ChargingSession,
    changes: ChargingSession,
    ended: datetime,
    reason: str,
    closed: Closed,
    rules: Rules,
) -> str:
    """Close a session, whoever's word it is; the status after it. One that is over stays what it
    is."""
    status = next_status(document["status"], Event.ENDED) or Status(document["status"])
    changes = {
        **changes,
        "status": status.value,
        "running": False,
        "suspect": None,
        "to_stop": None,
        "ended": ended,
        "end_reason": reason,
        "closed": closed.value,
        "estimated": closed is Closed.ESTIMATE,
    }
    await save(tx, document, changes, rules, at_once=True)
    return status.value


def _doubt(
    tx: Tx, document: ChargingSession, reading: Reading, register_wh: float | None, rules: Rules
) -> str | None:
    return doubt_of_time(document, reading.at, tx.now) or doubt_of_energy(
        document, reading.at, reading.energy_wh, register_wh, rules.max_power_factor
    )


def _held(tx: Tx, document: ChargingSession, doubt: str | None) -> ChargingSession:
    """The session is held for the operator, unless it is already: the first reason stands."""
    if doubt is None or document.get("held") is not None:
        return {}
    tx.say(logger.error, "session %s is held: %s", document["_id"], doubt)
    hold: Hold = {"since": tx.now, "why": doubt}
    return {"held": hold}


def _in_order(document: ChargingSession, reading: Reading, now: datetime) -> Reading:
    """The reading with a time and an energy that do not fall behind what is known."""
    at = now if reading.at > now + MAX_CLOCK_SKEW else reading.at
    at = max(to_milliseconds(at), document["last_at"])
    energy_wh = max(reading.energy_wh, document["energy_wh"])
    return Reading(**{**reading.__dict__, "at": at, "energy_wh": energy_wh})


def _followed(
    tx: Tx, document: ChargingSession, reading: Reading, *, closing: bool = False
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
        tx.say(logger.error, "session %s: its course has no price: %s", document["_id"], error)
        return segments


def _goes_on(document: ChargingSession) -> bool:
    """Whether a session that is over was closed without its charge point's word."""
    return Closed(document.get("closed") or Closed.CHARGE_POINT) in REOPENED_AFTER


def _is_news(document: ChargingSession, reading: Reading) -> bool:
    """Whether it says more of a closed session than its charge point had told before."""
    known = document.get("measured") or document
    more_wh = reading.energy_wh - known["energy_wh"]
    return more_wh > _NEWS_WH or reading.at > known["last_at"]


async def _too_late(tx: Tx, document: ChargingSession, reading: Reading, why: str) -> None:
    """A charge point's word after its own last word: for the operator to see."""
    more_wh = reading.energy_wh - document["energy_wh"]
    if more_wh <= _NEWS_WH:
        return
    noted = document.get("unbilled")
    if noted is None:
        tx.say(logger.warning, "session %s is over, but %s", document["_id"], why)
    unbilled: Unbilled = {
        "energy_wh": round(max(more_wh, 0.0 if noted is None else noted["energy_wh"]), 3),
        "at": reading.at,
        "why": why,
    }
    await set_beside(tx, document["_id"], {"unbilled": unbilled})
