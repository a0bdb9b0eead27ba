"""What OCPP says of a connector, as the state of it that Central keeps: tables. Pure.

`OF_16` is ChargePointStatus of 1.6. In 2.0.1 and 2.1 two words come together: ConnectorStatus
(`OF_2`) and, while a transaction runs, its chargingState (`IN_TRANSACTION`), which says more. A
fault, and a reservation's or the operator's hold of an unused connector, no transaction overrules.
Which OCPI status follows is evse_states' table; docs/ocpp.md shows both, and a test compares.

Preparing is told when a plug is put in or a card shown: nearly always a car stands there, and
nobody else can charge. Occupied without a transaction is a car before its start, or after its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.charge_points.evse_states import ConnectorState

PLUGGED, UNPLUGGED = "plugged", "unplugged"


@dataclass(frozen=True)
class Told:
    """A connector as telemetry's "state" message has it."""

    state: ConnectorState
    ev_state: str


_AVAILABLE = Told(ConnectorState.AVAILABLE, UNPLUGGED)
_STANDING = Told(ConnectorState.PREPARING, PLUGGED)
_AWAITED = Told(ConnectorState.PREPARING, UNPLUGGED)
_CHARGING = Told(ConnectorState.CHARGING, PLUGGED)
_SUSPENDED = Told(ConnectorState.SUSPENDED, PLUGGED)
_FINISHING = Told(ConnectorState.FINISHING, PLUGGED)
_RESERVED = Told(ConnectorState.RESERVED, UNPLUGGED)
_CLOSED = Told(ConnectorState.INOPERATIVE, UNPLUGGED)
_FAULTED = Told(ConnectorState.FAULTED, UNPLUGGED)

OF_16: Mapping[str, Told] = {
    "Available": _AVAILABLE,
    "Preparing": _STANDING,
    "Charging": _CHARGING,
    "SuspendedEVSE": _SUSPENDED,
    "SuspendedEV": _SUSPENDED,
    "Finishing": _FINISHING,
    "Reserved": _RESERVED,
    "Unavailable": _CLOSED,
    "Faulted": _FAULTED,
}
OF_2: Mapping[str, Told] = {
    "Available": _AVAILABLE,
    "Occupied": _STANDING,
    "Reserved": _RESERVED,
    "Unavailable": _CLOSED,
    "Faulted": _FAULTED,
}
IN_TRANSACTION: Mapping[str, Told] = {
    "Charging": _CHARGING,
    "SuspendedEVSE": _SUSPENDED,
    "SuspendedEV": _SUSPENDED,
    "EVConnected": _STANDING,
    "Idle": _AWAITED,
}
ENDED = _FINISHING
"""A transaction is over and its car still stands there, until the connector says otherwise."""

PAUSED_BY_EVSE = "SuspendedEVSE"
DRAWS_NOTHING = frozenset({"SuspendedEV", PAUSED_BY_EVSE, "EVConnected", "Idle"})
"""Of a transaction in these no power flows, where none is told."""
_OVERRULED = frozenset({ConnectorState.AVAILABLE, ConnectorState.PREPARING})
"""States of a connector that give way to the chargingState."""


def told_16(status: str) -> Told | None:
    """None: no status of 1.6."""
    return OF_16.get(status)


def told_2(status: str, charging_state: str | None = None) -> Told | None:
    """`charging_state`: of the transaction that runs there. None: no status of 2.0.1."""
    told = OF_2.get(status)
    if told is None or charging_state is None or told.state not in _OVERRULED:
        return told
    return IN_TRANSACTION.get(charging_state, told)


def told_by_transaction(known: ConnectorState | None, charging_state: str | None) -> Told | None:
    """What a transaction's event says of its connector, which was in the state `known`; None:
    nothing new."""
    if charging_state is None or known is ConnectorState.FAULTED:
        return None
    return IN_TRANSACTION.get(charging_state)
