"""The state machine of one EVSE, as a table: state × event → state. No I/O, no rules elsewhere.

A pair that is not in the table is refused (`Refused`), and nothing changes.

A few facts outlive a state: a car that stays plugged in, a reservation, an operator's
"out of service", an authorisation that waits for its car. So whoever fires an event that leads
back to AVAILABLE replays the facts that still hold (`Evse._settle`): AVAILABLE then means that
none of them does. INOPERATIVE asked for during a session waits until the session has ended.

AVAILABLE    nothing plugged, nobody authorised, not reserved
PREPARING    plugged and not authorised; or authorised and waiting for the car (ev_state unplugged)
CHARGING     energy flows into a session
SUSPENDED    a session runs, no energy flows: the limit is 0 or the car is full
FINISHING    the session has ended, the car is still plugged
RESERVED     for one token; a car may be plugged, it may not charge without that token
FAULTED      at least one fault; sessions end when it begins
INOPERATIVE  taken out of service by the operator
"""

from __future__ import annotations

from enum import Enum


class State(str, Enum):
    AVAILABLE = "AVAILABLE"
    PREPARING = "PREPARING"
    CHARGING = "CHARGING"
    SUSPENDED = "SUSPENDED"
    FINISHING = "FINISHING"
    RESERVED = "RESERVED"
    FAULTED = "FAULTED"
    INOPERATIVE = "INOPERATIVE"


class Event(str, Enum):
    PLUG = "PLUG"
    UNPLUG = "UNPLUG"
    AUTHORISE = "AUTHORISE"  # a start was accepted, its car is still to come
    START = "START"  # plugged and authorised
    STOP = "STOP"
    SUSPEND = "SUSPEND"
    RESUME = "RESUME"
    RESERVE = "RESERVE"
    RELEASE = "RELEASE"  # a reservation or a waiting authorisation ended
    FAULT = "FAULT"
    CLEAR_FAULT = "CLEAR_FAULT"  # the last fault is gone
    DISABLE = "DISABLE"
    ENABLE = "ENABLE"


class Refused(Exception):
    """The table has no such transition."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"{event.value} is not possible in state {state.value}")


TABLE: dict[State, dict[Event, State]] = {
    State.AVAILABLE: {
        Event.PLUG: State.PREPARING,
        Event.AUTHORISE: State.PREPARING,
        Event.RESERVE: State.RESERVED,
        Event.FAULT: State.FAULTED,
        Event.DISABLE: State.INOPERATIVE,
        Event.ENABLE: State.AVAILABLE,
    },
    State.PREPARING: {
        Event.PLUG: State.PREPARING,
        Event.UNPLUG: State.AVAILABLE,
        Event.START: State.CHARGING,
        Event.RELEASE: State.AVAILABLE,
        Event.FAULT: State.FAULTED,
        Event.DISABLE: State.INOPERATIVE,
        Event.ENABLE: State.PREPARING,
    },
    State.CHARGING: {
        Event.UNPLUG: State.AVAILABLE,
        Event.STOP: State.FINISHING,
        Event.SUSPEND: State.SUSPENDED,
        Event.FAULT: State.FAULTED,
        Event.DISABLE: State.CHARGING,
        Event.ENABLE: State.CHARGING,
    },
    State.SUSPENDED: {
        Event.UNPLUG: State.AVAILABLE,
        Event.STOP: State.FINISHING,
        Event.RESUME: State.CHARGING,
        Event.FAULT: State.FAULTED,
        Event.DISABLE: State.SUSPENDED,
        Event.ENABLE: State.SUSPENDED,
    },
    State.FINISHING: {
        Event.UNPLUG: State.AVAILABLE,
        Event.START: State.CHARGING,
        Event.FAULT: State.FAULTED,
        Event.DISABLE: State.INOPERATIVE,
        Event.ENABLE: State.FINISHING,
    },
    State.RESERVED: {
        Event.PLUG: State.RESERVED,
        Event.UNPLUG: State.RESERVED,
        Event.AUTHORISE: State.PREPARING,
        Event.START: State.CHARGING,
        Event.RESERVE: State.RESERVED,
        Event.RELEASE: State.AVAILABLE,
        Event.FAULT: State.FAULTED,
        Event.DISABLE: State.INOPERATIVE,
        Event.ENABLE: State.RESERVED,
    },
    State.FAULTED: {
        Event.PLUG: State.FAULTED,
        Event.UNPLUG: State.FAULTED,
        Event.RELEASE: State.FAULTED,
        Event.FAULT: State.FAULTED,
        Event.CLEAR_FAULT: State.AVAILABLE,
        Event.DISABLE: State.FAULTED,
        Event.ENABLE: State.FAULTED,
    },
    State.INOPERATIVE: {
        Event.PLUG: State.INOPERATIVE,
        Event.UNPLUG: State.INOPERATIVE,
        Event.RELEASE: State.INOPERATIVE,
        Event.FAULT: State.FAULTED,
        Event.DISABLE: State.INOPERATIVE,
        Event.ENABLE: State.AVAILABLE,
    },
}

#: States in which a session runs and the meter is read.
IN_SESSION = frozenset({State.CHARGING, State.SUSPENDED})


def next_state(state: State, event: Event) -> State:
    """The state after `event`. Raises Refused where the table has none."""
    try:
        return TABLE[state][event]
    except KeyError:
        raise Refused(state, event) from None
