"""Telemetry as engines send it all day, nothing but meter values: read in a fifth of the time.

It takes what is exactly as wire.py describes it, without anything that would have to be converted,
and leaves everything else to wire.py, which alone says what is wrong. A property test holds the two
against each other.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeGuard

from pydantic.datetime_parse import parse_datetime

from cpo_app.central.wire import (
    MAX_MESSAGES,
    Amount,
    ConnectorId,
    CpId,
    Id,
    MeterMessage,
    TelemetryBody,
    in_utc,
)

_OF_BODY = frozenset(TelemetryBody.__fields__)
_OF_METER = frozenset(MeterMessage.__fields__)
_AMOUNTS = ("energy_wh", "register_wh", "power_w", "current_a", "voltage_v")
_MAX_AMOUNT = Amount.le or 0.0
_MAX_SEQ = 2**53
_MAX_ID = Id.max_length or 0
_MAX_CONNECTOR_ID = ConnectorId.max_length or 0


def meters_of(told: object) -> TelemetryBody | None:
    """A body out of its JSON; None: it is not for this file to say."""
    if not isinstance(told, dict) or not _OF_BODY.issuperset(told):
        return None
    cp_id, boot_id, messages = told.get("cp_id"), told.get("boot_id"), told.get("messages")
    if not isinstance(cp_id, str) or not CpId.regex.match(cp_id):
        return None
    if not _is_text(boot_id, _MAX_ID) or not boot_id.isprintable():
        return None
    if not isinstance(messages, list) or not 0 < len(messages) <= MAX_MESSAGES:
        return None
    try:
        sent_at = None if told.get("sent_at") is None else _instant(told["sent_at"])
        read = [_meter(message) for message in messages]
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    if any(after.seq <= before.seq for before, after in pairwise(read)):
        return None
    return TelemetryBody.construct(
        _fields_set=set(told), cp_id=cp_id, boot_id=boot_id, sent_at=sent_at, messages=read
    )


def _meter(told: object) -> MeterMessage:
    """Raises one of those above for whatever is not just so."""
    if not isinstance(told, dict) or not _OF_METER.issuperset(told) or told["kind"] != "meter":
        raise ValueError
    seq, phases, soc, limit_w = told["seq"], told["phases"], told.get("soc"), told.get("limit_w")
    if type(seq) is not int or not 1 <= seq <= _MAX_SEQ:
        raise ValueError
    if type(phases) is not int or not 1 <= phases <= 3:
        raise ValueError
    connector_id, session_id = told["connector_id"], told["session_id"]
    if not _is_text(connector_id, _MAX_CONNECTOR_ID) or not _is_text(session_id, _MAX_ID):
        raise ValueError
    return MeterMessage.construct(
        _fields_set=set(told),
        seq=seq,
        at=_instant(told["at"]),
        kind="meter",
        connector_id=connector_id,
        session_id=session_id,
        phases=phases,
        soc=None if soc is None else _number(soc, 100.0),
        limit_w=None if limit_w is None else _number(limit_w, _MAX_AMOUNT),
        **{name: _number(told[name], _MAX_AMOUNT) for name in _AMOUNTS},
    )


def _instant(told: object) -> object:
    if not isinstance(told, str):
        raise TypeError
    return in_utc(parse_datetime(told))


def _number(told: object, most: float) -> float:
    if type(told) is not float and type(told) is not int:
        raise TypeError
    if not 0 <= told <= most:
        raise ValueError
    return float(told)


def _is_text(told: object, most: int) -> TypeGuard[str]:
    return isinstance(told, str) and 0 < len(told) <= most
