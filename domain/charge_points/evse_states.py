"""Central's view of a charge point, and the OCPI EVSE status that follows: tables, no I/O.

Three facts have a life of their own and come together here:

- *presence*: does the monitor speak? A machine of its own (`PRESENCE`: state × sign → state).
- *service*: has the operator taken the charge point out of service; is it still registered?
- *the connectors*, as the engine reports them, with faults and reservations.

`ROWS` is read from the top; the first row that fits is the view, and each view has one OCPI
status (OCPI 2.2.1, mod_locations, Status enum). Why in this order:

1. DEREGISTERED (REMOVED)        final: nothing that a removed charge point reports matters.
2. SUPPLYING (CHARGING)          a session runs, its monitor speaks and nothing is broken. Before
                                 3, because taking out of service lets a running session end:
                                 INOPERATIVE beside an ACTIVE session would be a contradiction.
                                 SUSPENDED (limit 0, car full) counts: the EVSE is "in use".
3. OUT_OF_SERVICE (INOPERATIVE)  the operator's word is known for certain, also about a silent
                                 or broken charge point, and is what a driver should act on.
4. SILENT (UNKNOWN)              all below would be an old report: "also used when offline".
5. FAULTY (OUTOFORDER)           also when the engine still believes that it charges.
6. HELD (RESERVED)               reserved for one driver, whatever stands there meanwhile.
7. CONNECTED (BLOCKED)           a car is plugged in and no session runs.
8. HELD (RESERVED)               started, and waiting for the driver's car.
9. ACTIVATED (AVAILABLE)         idle; also before the first report of its connectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum


class ConnectorState(str, Enum):
    """What an engine reports of a connector."""

    AVAILABLE = "AVAILABLE"
    PREPARING = "PREPARING"
    CHARGING = "CHARGING"
    SUSPENDED = "SUSPENDED"
    FINISHING = "FINISHING"
    RESERVED = "RESERVED"
    FAULTED = "FAULTED"
    INOPERATIVE = "INOPERATIVE"


class Presence(str, Enum):
    NEVER_SEEN = "NEVER_SEEN"
    ONLINE = "ONLINE"
    SILENT = "SILENT"


class Sign(str, Enum):
    """What moves the presence."""

    HEARD = "HEARD"  # registration at Central, or a heartbeat
    MISSED = "MISSED"  # too many heartbeats in a row did not come


PRESENCE: dict[Presence, dict[Sign, Presence]] = {
    Presence.NEVER_SEEN: {Sign.HEARD: Presence.ONLINE, Sign.MISSED: Presence.NEVER_SEEN},
    Presence.ONLINE: {Sign.HEARD: Presence.ONLINE, Sign.MISSED: Presence.SILENT},
    Presence.SILENT: {Sign.HEARD: Presence.ONLINE, Sign.MISSED: Presence.SILENT},
}


class View(str, Enum):
    """Central's state of a charge point."""

    DEREGISTERED = "DEREGISTERED"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"
    SILENT = "SILENT"
    FAULTY = "FAULTY"
    SUPPLYING = "SUPPLYING"
    CONNECTED = "CONNECTED"
    HELD = "HELD"
    ACTIVATED = "ACTIVATED"


class EvseStatus(str, Enum):
    """The values of OCPI's Status enum that Central gives (PLANNED is nobody's state here)."""

    AVAILABLE = "AVAILABLE"
    BLOCKED = "BLOCKED"
    CHARGING = "CHARGING"
    INOPERATIVE = "INOPERATIVE"
    OUTOFORDER = "OUTOFORDER"
    REMOVED = "REMOVED"
    RESERVED = "RESERVED"
    UNKNOWN = "UNKNOWN"


STATUS: dict[View, EvseStatus] = {
    View.DEREGISTERED: EvseStatus.REMOVED,
    View.OUT_OF_SERVICE: EvseStatus.INOPERATIVE,
    View.SILENT: EvseStatus.UNKNOWN,
    View.FAULTY: EvseStatus.OUTOFORDER,
    View.SUPPLYING: EvseStatus.CHARGING,
    View.CONNECTED: EvseStatus.BLOCKED,
    View.HELD: EvseStatus.RESERVED,
    View.ACTIVATED: EvseStatus.AVAILABLE,
}

IN_SESSION = frozenset({ConnectorState.CHARGING, ConnectorState.SUSPENDED})


@dataclass(frozen=True)
class Facts:
    """All that the status depends on. `connector` stands for the EVSE (see `deciding`)."""

    registered: bool = True
    operative: bool = True
    presence: Presence = Presence.NEVER_SEEN
    faulty: bool = False
    connector: ConnectorState = ConnectorState.AVAILABLE
    plugged: bool = False
    reserved: bool = False

    @property
    def online(self) -> bool:
        return self.presence is Presence.ONLINE

    @property
    def broken(self) -> bool:
        return self.faulty or self.connector is ConnectorState.FAULTED

    @property
    def in_session(self) -> bool:
        return self.connector in IN_SESSION

    @property
    def inoperative(self) -> bool:
        return not self.operative or (
            self.online and self.connector is ConnectorState.INOPERATIVE and not self.faulty
        )

    @property
    def connected(self) -> bool:
        return self.plugged or self.connector is ConnectorState.FINISHING

    @property
    def held(self) -> bool:
        return self.reserved or self.connector in (
            ConnectorState.RESERVED,
            ConnectorState.PREPARING,
        )


ROWS: tuple[tuple[Callable[[Facts], bool], View], ...] = (
    (lambda f: not f.registered, View.DEREGISTERED),
    (lambda f: f.online and f.in_session and not f.broken, View.SUPPLYING),
    (lambda f: f.inoperative, View.OUT_OF_SERVICE),
    (lambda f: not f.online, View.SILENT),
    (lambda f: f.broken, View.FAULTY),
    (lambda f: f.reserved or f.connector is ConnectorState.RESERVED, View.HELD),
    (lambda f: f.connected, View.CONNECTED),
    (lambda f: f.held, View.HELD),
    (lambda f: True, View.ACTIVATED),
)


def view_of(facts: Facts) -> View:
    """Central's state of the charge point: the first row that fits."""
    return next(view for fits, view in ROWS if fits(facts))


def status_of(facts: Facts) -> EvseStatus:
    return STATUS[view_of(facts)]


_DECIDING_ORDER = (
    ConnectorState.CHARGING,
    ConnectorState.SUSPENDED,
    ConnectorState.FINISHING,
    ConnectorState.PREPARING,
    ConnectorState.RESERVED,
    ConnectorState.AVAILABLE,
    ConnectorState.INOPERATIVE,
    ConnectorState.FAULTED,
)


def deciding(states: Iterable[ConnectorState]) -> ConnectorState:
    """The connector state that stands for the EVSE: only one connector can be in use at a time
    (OCPI Connector object), and one sound connector is enough to charge at. None reported:
    AVAILABLE.
    """
    reported = set(states)
    return next((state for state in _DECIDING_ORDER if state in reported), ConnectorState.AVAILABLE)
