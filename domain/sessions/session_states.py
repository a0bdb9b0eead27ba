"""The life of a session as a table: state × event → state. No I/O.

Rules (OCPI 2.2.1, mod_sessions, SessionStatus and 9.1.4 Reservation):

- PENDING is the first state of a start that was allowed; what never begins ends INVALID: it
  "will not be billed".
- RESERVATION is the first state of a reservation. It becomes ACTIVE when its driver charges, and
  COMPLETED when it does not: "a CDR might be created just for the costs of the reservation".
- ACTIVE until the charge point says that it ended, or has been silent for too long: COMPLETED.
- COMPLETED ("no more modifications") and INVALID are final: an event that comes later changes
  nothing, and its energy is noted beside the session.
"""

from __future__ import annotations

from enum import Enum


class Status(str, Enum):
    PENDING = "PENDING"
    RESERVATION = "RESERVATION"
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    INVALID = "INVALID"


class Event(str, Enum):
    BEGAN = "BEGAN"  # the charge point lets the car charge
    ENDED = "ENDED"  # it stopped, was refused, or nothing was heard of it for too long


TABLE: dict[Status, dict[Event, Status]] = {
    Status.PENDING: {Event.BEGAN: Status.ACTIVE, Event.ENDED: Status.INVALID},
    Status.RESERVATION: {Event.BEGAN: Status.ACTIVE, Event.ENDED: Status.COMPLETED},
    Status.ACTIVE: {Event.BEGAN: Status.ACTIVE, Event.ENDED: Status.COMPLETED},
    Status.COMPLETED: {},
    Status.INVALID: {},
}

FINAL = frozenset(state for state, row in TABLE.items() if not row)


def next_status(status: str, event: Event) -> Status | None:
    """The state after `event`; None where the state is final and nothing may change any more."""
    return TABLE[Status(status)].get(event)
