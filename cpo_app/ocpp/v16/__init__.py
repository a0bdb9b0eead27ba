"""OCPP 1.6-J: what becomes of each message of a charge point."""

from collections.abc import Mapping

from cpo_app.ocpp import signing
from cpo_app.ocpp.handlers import Handler
from cpo_app.ocpp.v16 import authorizing, boot, metering, notifications, status, transactions

HANDLERS: Mapping[str, Handler] = {
    **authorizing.HANDLERS,
    **boot.HANDLERS,
    **metering.HANDLERS,
    **notifications.HANDLERS,
    **signing.HANDLERS,
    **status.HANDLERS,
    **transactions.HANDLERS,
}
