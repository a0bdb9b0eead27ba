"""The readings of one connector's register, session after session, as a chain. Pure.

A session begins where the one before ended. Energy that flowed in between (a gap), energy that
two sessions claim (an overlap) and a register that starts again (another meter, or a reset: the
chain breaks, and what flowed meanwhile cannot be known) are findings; so is a session whose CDRs,
credits counted, bill another energy than its register moved by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

TOLERANCE_WH = 1.0
"""Below it nothing is said: CDRs bear tenths of a Wh, and engines round their readings."""


class Kind(str, Enum):
    GAP = "gap"
    OVERLAP = "overlap"
    NEW_METER = "new_meter"
    RESET = "reset"
    NOT_BILLED = "not_billed"
    BILLED_LESS = "billed_less"
    BILLED_MORE = "billed_more"


SAID: Mapping[Kind, str] = {
    Kind.GAP: "energy flowed outside of any session",
    Kind.OVERLAP: "two sessions claim the same energy",
    Kind.NEW_METER: "the connector has another meter: a new chain begins",
    Kind.RESET: "the register started again from a lower value: what flowed meanwhile is not known",
    Kind.NOT_BILLED: "the session has no CDR",
    Kind.BILLED_LESS: "the CDRs bill less than the register moved by",
    Kind.BILLED_MORE: "the CDRs bill more than the register moved by",
}
BREAKS = frozenset({Kind.NEW_METER, Kind.RESET})


@dataclass(frozen=True)
class Link:
    """A session's part of the chain. `end_wh` of one that has not ended, or whose end was never
    heard, is what it had come to."""

    session_id: str
    cp_id: str
    connector_id: str
    created: datetime
    started: datetime
    ended: bool
    start_wh: float
    end_wh: float
    meter_id: str | None
    billed_wh: float | None
    """On its CDRs, credits counted; None: it has none, though it has ended."""


@dataclass(frozen=True)
class Difference:
    kind: Kind
    cp_id: str
    connector_id: str
    session_id: str
    """Of the later one, where it is about two."""
    previous_id: str | None
    energy_wh: float
    """How much it is about, never negative; of a break, how far the register went back."""
    at: datetime
    """When the session was opened."""

    @property
    def key(self) -> str:
        about = "bill" if self.previous_id is None else "link"
        return f"{about}/{self.session_id}"


def differences(links: Sequence[Link], *, previous: Link | None = None) -> Iterator[Difference]:
    """What does not add up along one connector's links, in the order of their starts.

    `previous`: the link before them, which is not judged itself.
    """
    before = previous
    for link in sorted(links, key=lambda link: (link.started, link.start_wh)):
        if before is not None:
            yield from _between(before, link)
        yield from _billed(link)
        before = link


def _between(before: Link, link: Link) -> Iterator[Difference]:
    moved = link.start_wh - before.end_wh
    if before.meter_id and link.meter_id and before.meter_id != link.meter_id:
        yield _of(Kind.NEW_METER, link, max(0.0, -moved), before)
    elif moved > TOLERANCE_WH:
        yield _of(Kind.GAP, link, moved, before)
    elif link.start_wh < before.start_wh - TOLERANCE_WH:
        # Behind even the beginning of the session before: no overlap explains that.
        yield _of(Kind.RESET, link, -moved, before)
    elif moved < -TOLERANCE_WH:
        yield _of(Kind.OVERLAP, link, -moved, before)


def _billed(link: Link) -> Iterator[Difference]:
    moved = link.end_wh - link.start_wh
    if not link.ended:
        return
    if link.billed_wh is None:
        if moved > TOLERANCE_WH:
            yield _of(Kind.NOT_BILLED, link, moved)
    elif link.billed_wh < moved - TOLERANCE_WH:
        yield _of(Kind.BILLED_LESS, link, moved - link.billed_wh)
    elif link.billed_wh > moved + TOLERANCE_WH:
        yield _of(Kind.BILLED_MORE, link, link.billed_wh - moved)


def _of(kind: Kind, link: Link, energy_wh: float, before: Link | None = None) -> Difference:
    return Difference(
        kind,
        link.cp_id,
        link.connector_id,
        link.session_id,
        None if before is None else before.session_id,
        round(energy_wh, 3),
        link.created,
    )
