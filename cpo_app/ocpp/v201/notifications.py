"""What a station tells beside charging: vendors' own data, firmware, logs, reports, security.

Each is answered, so that the box goes on; all of them stand in its message log.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from cpo_app.ocpp.handlers import Handler, Incoming
from cpo_app.ocpp.transfer_status import transfer_told
from cpo_app.ocpp.v201.status import connectors_told
from db_interface.json_data import JsonObject
from domain.ocpp import configurations
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


async def event(incoming: Incoming, payload: JsonObject) -> JsonObject:
    for one in payload["eventData"]:
        if one["trigger"] == "Alerting":
            name = one["component"]["name"], one["variable"]["name"]
            logger.warning("%s: alert: %s.%s", incoming.connection.station_id, *name)
    await connectors_told(incoming, payload["eventData"])
    return {}


async def report(incoming: Incoming, payload: JsonObject) -> JsonObject:
    """A part of its device model, where somebody has asked for that."""
    station = incoming.connection.station_id
    await incoming.transact(lambda tx: configurations.report_part(tx, station, payload))
    return {}


async def taken_notice(_incoming: Incoming, _payload: JsonObject) -> JsonObject:
    return {}


async def certificate_status(_incoming: Incoming, _payload: JsonObject) -> JsonObject:
    """Contract certificates (ISO 15118) are no token of ours."""
    return {"status": "Failed"}


async def ev_certificate(_incoming: Incoming, _payload: JsonObject) -> JsonObject:
    return {"status": "Failed", "exiResponse": ""}


HANDLERS: Mapping[str, Handler] = {
    "DataTransfer": data_transfer,
    "FirmwareStatusNotification": firmware_status,
    "LogStatusNotification": log_status,
    "SecurityEventNotification": security_event,
    "NotifyEvent": event,
    "NotifyReport": report,
    "NotifyMonitoringReport": taken_notice,
    "NotifyChargingLimit": taken_notice,
    "ClearedChargingLimit": taken_notice,
    "ReportChargingProfiles": taken_notice,
    "NotifyCustomerInformation": taken_notice,
    "NotifyDisplayMessages": taken_notice,
    "PublishFirmwareStatusNotification": taken_notice,
    "GetCertificateStatus": certificate_status,
    "Get15118EVCertificate": ev_certificate,
}
