"""What a charge point tells beside charging: vendors' own data, firmware, diagnostics, security.

Each is answered, so that the box goes on; all of them stand in its message log.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from cpo_app.ocpp.handlers import Handler, Incoming
from cpo_app.ocpp.transfer_status import transfer_told
from db_interface.json_data import JsonObject
from domain.ocpp.transfers import LOGS, Kind

logger = logging.getLogger("cpo.ocpp")


async def data_transfer(_incoming: Incoming, _payload: JsonObject) -> JsonObject:
    """Nobody here speaks a vendor's own language."""
    return {"status": "UnknownVendorId"}


async def firmware_status(incoming: Incoming, payload: JsonObject) -> JsonObject:
    return await transfer_told(incoming, payload, (Kind.FIRMWARE,))


async def log_status(incoming: Incoming, payload: JsonObject) -> JsonObject:
    return await transfer_told(incoming, payload, LOGS)


async def security_event(incoming: Incoming, payload: JsonObject) -> JsonObject:
    logger.warning("%s: security event: %s", incoming.connection.station_id, payload["type"])
    return {}


HANDLERS: Mapping[str, Handler] = {
    "DataTransfer": data_transfer,
    "FirmwareStatusNotification": firmware_status,
    "SignedFirmwareStatusNotification": firmware_status,
    "DiagnosticsStatusNotification": log_status,
    "LogStatusNotification": log_status,
    "SecurityEventNotification": security_event,
}
