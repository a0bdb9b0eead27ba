"""OCPP 2.0.1, and 2.1 where it is the same: what becomes of each message of a charge point."""

from collections.abc import Mapping

from cpo_app.ocpp import signing
from cpo_app.ocpp.handlers import Handler
from cpo_app.ocpp.v201 import authorizing, boot, notifications, status, transactions

HANDLERS: Mapping[str, Handler] = {
    **authorizing.HANDLERS,
    **boot.HANDLERS,
    **notifications.HANDLERS,
    **signing.HANDLERS,
    **status.HANDLERS,
    **transactions.HANDLERS,
}
