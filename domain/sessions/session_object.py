"""The OCPI Session of a charging session: rendered from its document. No I/O.

The running session and its CDR have their charging periods and their price from here
(`course_of`): the price cannot jump when the session closes. Source: mod_sessions, Session.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db_interface.owned_objects import OwnedObject
from domain.pricing import Priced, PricingInputError, price_session
from domain.schemas import format_datetime, validate
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_segments import Segment, charging_periods, kwh
from domain.sessions.session_states import Status
from domain.versions.inner import Session
from domain.visibility import audience_of_token_holder

logger = logging.getLogger("cpo.sessions")

TOKEN_FIELDS = ("country_code", "party_id", "uid", "type", "contract_id")
_AS_THEY_ARE = (
    "country_code",
    "party_id",
    "auth_method",
    "authorization_reference",
    "location_id",
    "evse_uid",
    "connector_id",
    "meter_id",
    "currency",
)


@dataclass(frozen=True)
class Course:
    """What has happened until now: charging periods, used tariffs, and the price.

    `priced` is None where no tariff is in force, or the price cannot be told (`problem` says why).
    """

    start: datetime
    end: datetime
    periods: list[dict[str, Any]]
    tariffs: list[dict[str, Any]]
    priced: Priced | None = None
    problem: str | None = None


def course_of(document: ChargingSession) -> Course | None:
    """The course of a session until its end, or its latest meter value; None: not begun."""
    segments = document["segments"]
    if not segments:
        return None
    start, end = segments[0]["start"], document.get("ended") or document["last_at"]
    used = {segment["tariff_id"] for segment in segments}
    tariffs = [dict(t) for t in document["tariffs"] if t["id"] in used]
    zone = document["time_zone"]
    try:
        periods = charging_periods(segments, end, document["energy_wh"], tariffs, zone)
    except PricingInputError as error:
        unpriced: list[Segment] = [{**segment, "tariff_id": None} for segment in segments]
        periods = charging_periods(unpriced, end, document["energy_wh"], (), zone)
        return Course(start, end, periods, tariffs, problem=str(error))
    if not tariffs:
        return Course(start, end, periods, tariffs)
    expired = document.get("reservation_expired")
    try:
        priced = price_session(periods, tariffs, start, end, zone, reservation_expired=expired)
    except PricingInputError as error:
        return Course(start, end, periods, tariffs, problem=str(error))
    return Course(start, end, periods, tariffs, priced)


def session_object(document: ChargingSession, course: Course | None) -> dict[str, Any]:
    """The Session without last_updated.

    It has a total_cost as soon as a price can be told: without one it "does not imply that the
    session is free of charge".
    """
    known: Mapping[str, Any] = document
    fields = {name: known[name] for name in _AS_THEY_ARE if known.get(name) is not None}
    fields |= {
        "id": document["_id"],
        "start_date_time": format_datetime(document.get("started") or document["created"]),
        "kwh": float(kwh(document["energy_wh"])),
        "cdr_token": {name: document["token"][name] for name in TOKEN_FIELDS},
        "status": document["status"],
    }
    ended = document.get("ended")
    if ended is not None:
        fields["end_date_time"] = format_datetime(ended)
    if course is not None:
        fields["charging_periods"] = _with_state_of_charge(course.periods, document)
        if course.priced is not None:
            fields["total_cost"] = course.priced.total_cost.to_ocpi()
    return fields


def owned_session(
    document: ChargingSession, fields: Mapping[str, Any], now: datetime
) -> OwnedObject:
    """A Session as the store keeps it, checked. Raises SchemaError."""
    valid = validate(Session, {**fields, "last_updated": format_datetime(now)})
    return OwnedObject(
        country_code=document["country_code"],
        party_id=document["party_id"],
        key_parts=(document["_id"],),
        fields=valid,
        last_updated=now,
        audience=document.get("audience") or audience_of_token_holder(document["token"]),
        links={"evse": [document["evse_uid"]], "status": [document["status"]]},
    )


def _with_state_of_charge(
    periods: list[dict[str, Any]], document: ChargingSession
) -> list[dict[str, Any]]:
    """The periods, the last one with the car's state of charge where its meter tells it."""
    soc = document.get("soc")
    if soc is None or document["status"] != Status.ACTIVE:
        return periods
    last = periods[-1]
    dimension = {"type": "STATE_OF_CHARGE", "volume": soc}
    return [*periods[:-1], {**last, "dimensions": [*last["dimensions"], dimension]}]
