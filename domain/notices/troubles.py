"""A trouble: one thing that is not as it should be, as a source sees it at this moment. Values.

Sources are asked every few seconds. One that fails says nothing: silence is not an end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class Kind(str, Enum):
    CHARGE_POINT_SILENT = "charge_point_silent"
    CHARGE_POINT_FAULTY = "charge_point_faulty"
    PEER_BEHIND = "peer_behind"
    CDRS_AT_PEER = "cdrs_at_peer"
    SESSION_HELD = "session_held"
    SESSION_WITHOUT_CDR = "session_without_cdr"
    SESSION_UNBILLED = "session_unbilled"
    SESSION_SUSPECT = "session_suspect"
    SESSION_ESTIMATED = "session_estimated"
    SESSION_SIGNATURE = "session_signature"
    DEAD_LETTER = "dead_letter"
    REGISTER_FINDING = "register_finding"
    CERTIFICATE_ENDS = "certificate_ends"
    CERTIFICATE_OF_OTHERS = "certificate_of_others_ends"
    API_KEY_ENDS = "api_key_ends"
    EVENTS_BEHIND = "events_behind"
    DISK_LOW = "disk_low"


@dataclass(frozen=True)
class Words:
    """`many`: of so many alike in one sentence, behind their number. `do`: what helps."""

    many: str
    do: str


_MONEY = "cpo sessions trouble"
WORDS: Mapping[Kind, Words] = {
    Kind.CHARGE_POINT_SILENT: Words(
        "charge points are silent", "look at their power and network: cpo charge-points show ID"
    ),
    Kind.CHARGE_POINT_FAULTY: Words(
        "charge points are out of order", "what each reports: cpo charge-points show ID"
    ),
    Kind.PEER_BEHIND: Words("peers do not take what is pushed", "cpo peers list"),
    Kind.CDRS_AT_PEER: Words("peers have not all of our CDRs as they are", "cpo reconcile cdrs"),
    Kind.SESSION_HELD: Words("sessions are held: nobody is billed", _MONEY),
    Kind.SESSION_WITHOUT_CDR: Words("sessions ended without a CDR", _MONEY),
    Kind.SESSION_UNBILLED: Words("sessions have energy beside their bill", _MONEY),
    Kind.SESSION_SUSPECT: Words("sessions are suspect: nothing is heard of them", _MONEY),
    Kind.SESSION_ESTIMATED: Words("sessions are billed by an estimate", _MONEY),
    Kind.SESSION_SIGNATURE: Words("sessions have a signature that is wrong", _MONEY),
    Kind.DEAD_LETTER: Words(
        "messages of charge points could not be taken", "cpo charge-points dead-letters"
    ),
    Kind.REGISTER_FINDING: Words(
        "registers do not add up with sessions and CDRs", "cpo reconcile registers"
    ),
    Kind.CERTIFICATE_ENDS: Words("certificates end soon", "renew them, and start the server again"),
    Kind.CERTIFICATE_OF_OTHERS: Words(
        "certificates of peers and charge points end soon",
        "who shows it renews it: tell the peer; a charge point's new one takes "
        "cpo charge-points enrol ID",
    ),
    Kind.API_KEY_ENDS: Words("API keys end soon", "make new ones: cpo keys add"),
    Kind.EVENTS_BEHIND: Words("streams of events are behind", "cpo events status"),
    Kind.DISK_LOW: Words("disks are nearly full", "make room: a full disk stops the database"),
}


@dataclass(frozen=True)
class Trouble:
    """`said`: a sentence without its stop, "charge point CP-1 of Berlin is silent". `place`: by
    what many alike are told together, where there is such a thing."""

    kind: Kind
    subject: str
    said: str
    place: str | None = None
    do: str = ""

    @property
    def id(self) -> str:
        return f"{self.kind.value}:{self.subject}"


@dataclass(frozen=True)
class Source:
    """`kinds`: what it alone finds. `look` raises where it cannot say."""

    name: str
    kinds: frozenset[Kind]
    look: Callable[[], Awaitable[Sequence[Trouble]]]
