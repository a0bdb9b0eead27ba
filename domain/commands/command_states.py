"""The life of a command as a table: state × event → state. No I/O.

A command is whatever a peer (or we ourselves) wants of a charge point: OCPI commands, requests
of ChargingProfiles, and what we owe a charge point after a command ran out of time. Rules:

- RECEIVED  it was answered ACCEPTED and is kept; the charge point has not heard of it.
- SENT      written *before* the charge point is asked, so that after a crash it is asked again
            under the same command_id, which it carries out once.
- RESULT    how it ended is kept for good, together with what follows from it; the peer has not
            been told yet. The first of ANSWERED and EXPIRED decides; the other changes nothing.
- MOVED     the EVSE was ours to choose and is taken: the command waits at the next one.
- DELIVERED, UNDELIVERED, CLOSED (nobody waits for a result) are final.
"""

from __future__ import annotations

from enum import Enum


class State(str, Enum):
    RECEIVED = "RECEIVED"
    SENT = "SENT"
    RESULT = "RESULT"
    DELIVERED = "DELIVERED"
    UNDELIVERED = "UNDELIVERED"
    CLOSED = "CLOSED"


class Event(str, Enum):
    SEND = "SEND"  # the charge point is about to be asked
    ANSWERED = "ANSWERED"  # the charge point, or our own knowledge, has decided
    EXPIRED = "EXPIRED"  # the deadline has passed
    MOVED = "MOVED"  # another EVSE is to be asked instead
    DELIVERED = "DELIVERED"  # the peer has taken the result
    GIVEN_UP = "GIVEN_UP"  # the peer does not take it, or not in time
    CLOSE = "CLOSE"  # there is nobody to tell


TABLE: dict[State, dict[Event, State]] = {
    State.RECEIVED: {
        Event.SEND: State.SENT,
        Event.ANSWERED: State.RESULT,
        Event.EXPIRED: State.RESULT,
        Event.MOVED: State.RECEIVED,
    },
    State.SENT: {
        Event.SEND: State.SENT,
        Event.ANSWERED: State.RESULT,
        Event.EXPIRED: State.RESULT,
        Event.MOVED: State.RECEIVED,
    },
    State.RESULT: {
        Event.DELIVERED: State.DELIVERED,
        Event.GIVEN_UP: State.UNDELIVERED,
        Event.CLOSE: State.CLOSED,
    },
    State.DELIVERED: {},
    State.UNDELIVERED: {},
    State.CLOSED: {},
}

OPEN = tuple(state.value for state, row in TABLE.items() if Event.EXPIRED in row)
"""The charge point is still to answer."""
FINAL = tuple(state.value for state, row in TABLE.items() if not row)


class Refused(Exception):
    """The event means nothing in that state."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"{event.value} in {state.value}")


def next_state(state: str, event: Event) -> State:
    """The state after `event`; raises Refused."""
    current = State(state)
    try:
        return TABLE[current][event]
    except KeyError:
        raise Refused(current, event) from None
