"""BootNotification and Heartbeat."""

from __future__ import annotations

from collections.abc import Mapping

from cpo_app.ocpp.booting import booted, heartbeat
from cpo_app.ocpp.handlers import Handler, Incoming
from db_interface.json_data import JsonObject
from domain.ocpp.stations import Station


async def boot_notification(incoming: Incoming, payload: JsonObject) -> JsonObject:
    station = payload["chargingStation"]
    modem = station.get("modem") or {}
    facts: Station = {
        "vendor": station["vendorName"],
        "model": station["model"],
        "serial": station.get("serialNumber", ""),
        "firmware": station.get("firmwareVersion", ""),
        "iccid": modem.get("iccid", ""),
        "imsi": modem.get("imsi", ""),
        "boot_reason": payload["reason"],
    }
    return await booted(incoming, facts)


HANDLERS: Mapping[str, Handler] = {
    "BootNotification": boot_notification,
    "Heartbeat": heartbeat,
}
