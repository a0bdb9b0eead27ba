"""What a failed push means: for the peer as a whole, or for the one object. Pure.

A peer that answers 2xx with an OCPI error has read the request: only that object waits. One
that cannot be reached, is overloaded or does not know us fails as a whole. An HTTP 500 may be
either: the object waits, and a few in a row without a success count for the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from cpo_app.ocpi.peer_client.peer_answer import PeerUnusable
from cpo_app.ocpi.push.breaker import FIRST_S
from db_interface.backoff import Backoff

REFUSED_FIRST_S, REFUSED_LONGEST_S = 300.0, 12 * 3600.0
BROKEN_FIRST_S, BROKEN_LONGEST_S = 2.0, 3600.0
NOT_LET_IN_S = 60.0
SUSPICIOUS = 3
"""So many objects in a row that failed in a way that may be the peer's."""

_PEERS_OWN = ("refused_url", "unreachable", "tls", "timeout", "broken_answer", "redirect")
_NOT_LET_IN = (401, 403)
_OVERLOADED = (408, 425, 429, 502, 503, 504)
_UNKNOWN_OBJECT = (400, 404, 405, 409, 410, 422, 501)


@dataclass(frozen=True)
class Failure:
    """`peer`: nothing more goes to it for a while; else only the object waits.

    `suspicious`: it may be the peer's fault all the same. `not_handed_on`: a hub has it, and did
    not get it to the party that it is for (status codes 4xxx).
    """

    text: str
    peer: bool
    suspicious: bool = False
    not_handed_on: bool = False
    first_s: float = FIRST_S
    retry_after_s: float | None = None
    longest_s: float = BROKEN_LONGEST_S

    def object_waits_s(self, attempts: int) -> float:
        """How long the object is held back after so many attempts (this one included)."""
        return max(Backoff(self.first_s, self.longest_s).after(attempts), self.retry_after_s or 0.0)


def judged(error: PeerUnusable) -> Failure:
    text = error.reason if not error.status_message else f"{error.reason}: {error.status_message}"
    if error.kind in _PEERS_OWN or error.http_status in _OVERLOADED:
        return Failure(text, peer=True, retry_after_s=error.retry_after_s)
    if error.http_status in _NOT_LET_IN:
        return Failure(
            f"{text} (it does not accept our token)" if error.http_status == 401 else text,
            peer=True,
            first_s=NOT_LET_IN_S,
            retry_after_s=error.retry_after_s,
        )
    if error.ocpi_status_code is not None and 2000 <= error.ocpi_status_code <= 2999:
        return Failure(
            text,
            peer=False,
            first_s=REFUSED_FIRST_S,
            longest_s=REFUSED_LONGEST_S,
            retry_after_s=error.retry_after_s,
        )
    return Failure(
        text,
        peer=False,
        suspicious=error.ocpi_status_code is None,
        not_handed_on=4000 <= (error.ocpi_status_code or 0) <= 4999,
        first_s=BROKEN_FIRST_S,
        retry_after_s=error.retry_after_s,
    )


def knows_no_part(error: PeerUnusable) -> bool:
    """Whether a PATCH, or a PUT of an EVSE, failed in a way that the whole object may mend: the
    peer does not know the object, or does not take parts."""
    if error.http_status in _UNKNOWN_OBJECT:
        return True
    return error.kind == "ocpi_status" and 2000 <= (error.ocpi_status_code or 0) <= 2999


def says_not_there(error: PeerUnusable) -> bool:
    """Whether the answer to a GET means that the peer does not have the object."""
    if error.http_status in (404, 410):
        return True
    return error.kind == "ocpi_status" and 2000 <= (error.ocpi_status_code or 0) <= 2999
