"""The life of a session as tables: state × event → state. No I/O.

`TABLE` is the OCPI status. Rules (OCPI 2.2.1, mod_sessions, SessionStatus and 9.1.4 Reservation):

- PENDING is the first state of a start that was allowed; what never begins ends INVALID: it
  "will not be billed".
- RESERVATION is the first state of a reservation. It becomes ACTIVE when its driver charges, and
  COMPLETED when it does not: "a CDR might be created just for the costs of the reservation".
- ACTIVE until the charge point says that it ended: COMPLETED. Silence ends nothing.
- INVALID that turns out to have begun is ACTIVE after all.
- COMPLETED that was closed without its charge point's word (`REOPENED_AFTER`) goes on in our
  books when the word comes. Its Session object allows "no more modifications": a credit CDR and
  the right CDR carry what came late.

`CERTAINTY` is how we know, beside it: a session whose charge point is silent is suspect and lets
go of its connector; any word of the charge point's makes it certain again; only after days it is
closed on what was measured, and marked as estimated.
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
    ENDED = "ENDED"  # it stopped, was refused, was ended by hand, or was given up after days


TABLE: dict[Status, dict[Event, Status]] = {
    Status.PENDING: {Event.BEGAN: Status.ACTIVE, Event.ENDED: Status.INVALID},
    Status.RESERVATION: {Event.BEGAN: Status.ACTIVE, Event.ENDED: Status.COMPLETED},
    Status.ACTIVE: {Event.BEGAN: Status.ACTIVE, Event.ENDED: Status.COMPLETED},
    Status.COMPLETED: {Event.BEGAN: Status.ACTIVE},
    Status.INVALID: {Event.BEGAN: Status.ACTIVE},
}

FINAL = frozenset(state for state, row in TABLE.items() if Event.ENDED not in row)


class Closed(str, Enum):
    """Whose word closed a session."""

    CHARGE_POINT = "CHARGE_POINT"
    REFUSED = "REFUSED"  # it was not started
    ESTIMATE = "ESTIMATE"
    HAND = "HAND"


REOPENED_AFTER = frozenset({Closed.ESTIMATE, Closed.HAND})


class Certainty(str, Enum):
    HEARD = "HEARD"
    SUSPECT = "SUSPECT"
    ESTIMATED = "ESTIMATED"


class Sign(str, Enum):
    WORD = "WORD"  # the charge point says something of the session
    SILENCE = "SILENCE"  # nothing is heard, or the charge point does not know it
    GIVEN_UP = "GIVEN_UP"  # nothing was heard for days


CERTAINTY: dict[Certainty, dict[Sign, Certainty]] = {
    Certainty.HEARD: {Sign.WORD: Certainty.HEARD, Sign.SILENCE: Certainty.SUSPECT},
    Certainty.SUSPECT: {
        Sign.WORD: Certainty.HEARD,
        Sign.SILENCE: Certainty.SUSPECT,
        Sign.GIVEN_UP: Certainty.ESTIMATED,
    },
    Certainty.ESTIMATED: {Sign.WORD: Certainty.HEARD},
}


def next_status(status: str, event: Event) -> Status | None:
    """The state after `event`; None where the state is final and the event means nothing."""
    return TABLE[Status(status)].get(event)
