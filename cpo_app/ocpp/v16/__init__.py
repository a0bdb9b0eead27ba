"""OCPP 1.6-J: what becomes of each message of a charge point."""

from collections.abc import Mapping

from cpo_app.ocpp.handlers import Handler
from cpo_app.ocpp.v16 import boot, notifications

HANDLERS: Mapping[str, Handler] = {**boot.HANDLERS, **notifications.HANDLERS}
