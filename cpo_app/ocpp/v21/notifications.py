"""What only a station of OCPP 2.1 tells, and a central system has to know of; all of it stands in
its message log."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from cpo_app.ocpp.handlers import Handler, Incoming
from db_interface.json_data import JsonObject

logger = logging.getLogger("cpo.ocpp")


async def der_alarm(incoming: Incoming, payload: JsonObject) -> JsonObject:
    """Its inverter has left what the grid wants."""
    station = incoming.connection.station_id
    over = "over" if payload.get("alarmEnded") else payload.get("gridEventFault", "begun")
    logger.warning("%s: alarm of the grid: %s: %s", station, payload["controlType"], over)
    return {}


async def taken_notice(_incoming: Incoming, _payload: JsonObject) -> JsonObject:
    return {}


HANDLERS: Mapping[str, Handler] = {
    "NotifyDERAlarm": der_alarm,
    "NotifyDERStartStop": taken_notice,
    "ReportDERControl": taken_notice,
    "NotifyPriorityCharging": taken_notice,
}
