"""OCPP 2.1: what becomes of each message of a charge point. What it has from 2.0.1 is that one's.

What is not here is answered NotSupported: docs/ocpp-use-cases.md says what that is.
"""

from collections.abc import Mapping

from cpo_app.ocpp import v201
from cpo_app.ocpp.handlers import Handler
from cpo_app.ocpp.v21 import notifications

HANDLERS: Mapping[str, Handler] = {**v201.HANDLERS, **notifications.HANDLERS}
