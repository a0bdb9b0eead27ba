"""What needs a hand first: the open notices, what costs most first, and then what lasts longest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from domain.notices.gathering import MAX_APART
from domain.notices.matters import Matter
from domain.notices.troubles import WORDS, Kind

URGENCY: Sequence[Kind] = (
    Kind.DISK_LOW,
    Kind.SESSION_HELD,
    Kind.SESSION_WITHOUT_CDR,
    Kind.SESSION_UNBILLED,
    Kind.DEAD_LETTER,
    Kind.PEER_BEHIND,
    Kind.EVENTS_BEHIND,
    Kind.CDRS_AT_PEER,
    Kind.CHARGE_POINT_FAULTY,
    Kind.CHARGE_POINT_SILENT,
    Kind.SESSION_SIGNATURE,
    Kind.REGISTER_FINDING,
    Kind.SESSION_SUSPECT,
    Kind.SESSION_ESTIMATED,
    Kind.CERTIFICATE_ENDS,
    Kind.API_KEY_ENDS,
    Kind.CERTIFICATE_OF_OTHERS,
)
_KINDS = {kind.value for kind in Kind}
_RANK = {kind.value: nth for nth, kind in enumerate(URGENCY)}


def first(opened: Sequence[Matter], limit: int) -> list[Matter]:
    """At most `limit` lines: those of a kind that came one by one, and are many by now, are one."""
    ranked = sorted(
        opened, key=lambda matter: (_RANK.get(matter["kind"], len(_RANK)), matter["opened"])
    )
    lines: list[Matter] = []
    for kind, alike in groupby(ranked, key=lambda matter: matter["kind"]):
        of_kind = [*alike]
        many = len(of_kind) > MAX_APART and kind in _KINDS
        lines += [_together(Kind(kind), of_kind)] if many else of_kind
    return lines[:limit]


def _together(kind: Kind, alike: Sequence[Matter]) -> Matter:
    """Since the first of them."""
    number = sum(matter["number"] for matter in alike)
    said = f"{number} {WORDS[kind].many}"
    return {
        **alike[0],
        "said": said,
        "do": WORDS[kind].do,
        "subject": None,
        "place": None,
        "number": number,
    }
