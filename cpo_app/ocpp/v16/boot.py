"""BootNotification and Heartbeat."""

from __future__ import annotations

from collections.abc import Mapping

from cpo_app.ocpp.booting import booted, heartbeat
from cpo_app.ocpp.handlers import Handler, Incoming
from db_interface.json_data import JsonObject
from domain.ocpp.stations import Station


async def boot_notification(incoming: Incoming, payload: JsonObject) -> JsonObject:
    serial = payload.get("chargePointSerialNumber") or payload.get("chargeBoxSerialNumber")
    facts: Station = {
        "vendor": payload["chargePointVendor"],
        "model": payload["chargePointModel"],
        "serial": serial or "",
        "firmware": payload.get("firmwareVersion", ""),
        "iccid": payload.get("iccid", ""),
        "imsi": payload.get("imsi", ""),
        "meter_type": payload.get("meterType", ""),
        "meter_serial": payload.get("meterSerialNumber", ""),
    }
    return await booted(incoming, facts)


HANDLERS: Mapping[str, Handler] = {
    "BootNotification": boot_notification,
    "Heartbeat": heartbeat,
}
