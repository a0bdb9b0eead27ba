"""What needs a hand first: the open notices, what costs most first, and then what lasts longest."""

from __future__ import annotations

from collections.abc import Sequence

from domain.notices.matters import Matter
from domain.notices.troubles import Kind

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
_RANK = {kind.value: nth for nth, kind in enumerate(URGENCY)}


def first(opened: Sequence[Matter], limit: int) -> list[Matter]:
    """At most `limit` of them."""
    ranked = sorted(
        opened, key=lambda matter: (_RANK.get(matter["kind"], len(_RANK)), matter["opened"])
    )
    return ranked[:limit]
