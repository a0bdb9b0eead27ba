"""OCPP 2.0.1, and 2.1 where it is the same: what becomes of each message of a charge point."""

from collections.abc import Mapping

from cpo_app.ocpp.handlers import Handler
from cpo_app.ocpp.v201 import boot, notifications

HANDLERS: Mapping[str, Handler] = {**boot.HANDLERS, **notifications.HANDLERS}
