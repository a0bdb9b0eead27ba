"""Values that OCPI 2.1.1 lacks: the nearest one that promises no more than there is."""

from __future__ import annotations

from domain.versions.fitting import ANY
from domain.versions.plugs import SAME_SHAPE

NEAREST = {
    "AuthMethod": {"COMMAND": "AUTH_REQUEST"},
    "CommandResponseType": {
        "CANCELED_RESERVATION": "REJECTED",
        "EVSE_INOPERATIVE": "REJECTED",
        "EVSE_OCCUPIED": "REJECTED",
        "FAILED": "REJECTED",
        "UNKNOWN_RESERVATION": "REJECTED",
    },
    "ConnectorType": SAME_SHAPE,
    "ImageCategory": {ANY: "OTHER"},
    "LocationType": {ANY: "OTHER"},
    "PowerType": {"AC_2_PHASE": "AC_1_PHASE", "AC_2_PHASE_SPLIT": "AC_1_PHASE"},
    "SessionStatus": {"RESERVATION": "PENDING"},
    "TokenType": {ANY: "OTHER"},
}
