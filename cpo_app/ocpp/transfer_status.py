"""What a station says of a file that it uploads or fetches, in whatever version."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from cpo_app.ocpp.handlers import Incoming
from db_interface.json_data import JsonObject
from domain.ocpp import transfers
from domain.ocpp.transfers import Kind

logger = logging.getLogger("cpo.ocpp")


async def transfer_told(
    incoming: Incoming, payload: JsonObject, kinds: Sequence[Kind]
) -> JsonObject:
    """Its state, on the transfer of that number or the latest of these kinds."""
    station, status = incoming.connection.station_id, str(payload["status"])
    logger.info("%s: %s: %s", station, "/".join(kind.value for kind in kinds), status)
    if status != "Idle":  # it was asked whether anything is under way, and nothing is
        await incoming.transact(
            lambda tx: transfers.told(tx, station, kinds, status, payload.get("requestId"))
        )
    return {}
