"""OCPP 2.0.1, and 2.1 where it is the same: what becomes of each message of a charge point."""

from collections.abc import Mapping

from cpo_app.ocpp import signing
from cpo_app.ocpp.handlers import Handler
from cpo_app.ocpp.v201 import (
    authorizing,
    boot,
    ev_needs,
    notifications,
    reserving,
    status,
    transactions,
)

HANDLERS: Mapping[str, Handler] = {
    **authorizing.HANDLERS,
    **boot.HANDLERS,
    **ev_needs.HANDLERS,
    **notifications.HANDLERS,
    **reserving.HANDLERS,
    **signing.HANDLERS,
    **status.HANDLERS,
    **transactions.HANDLERS,
}
