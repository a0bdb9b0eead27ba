"""step_size: what is billed beyond what was measured (mod_cdrs, "step_size").

Once per session for energy and once for charging and parking time together: the total of the kind
that was billed last is rounded up to the step_size of its last component, and the difference is
billed there. So charging time that parking follows is not rounded. A reservation is rounded by
itself (tariff examples 15 to 18). Quantities that no component prices do not count, nor does a
free ending hide the last priced stretch (mod_tariffs, "Free-of-Charge Tariff Element").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from domain.pricing.component import Component
from domain.pricing.pieces import Piece


class Extra(NamedTuple):
    """A quantity billed on top of a piece's own, in the unit of the component."""

    piece: int
    component: Component
    quantity: int
    total: int  # what the session's total was before


class _Total:
    """The billed total of one kind of quantity, and where it was billed last."""

    def __init__(self) -> None:
        self.quantity = 0
        self.piece = -1
        self.component: Component | None = None

    def add(self, quantity: int, component: Component | None, piece: int) -> None:
        if component is not None and quantity:
            self.quantity += quantity
            self.piece, self.component = piece, component

    def extra(self) -> list[Extra]:
        if self.component is None or self.quantity <= 0:
            return []  # energy that was fed back on balance has no smallest amount
        missing = -self.quantity % self.component.step
        return [Extra(self.piece, self.component, missing, self.quantity)] if missing else []


def round_up(pieces: Sequence[Piece]) -> list[Extra]:
    """What rounding adds to a session: at most one entry for energy, time and reservation each."""
    energy, time, parking, reservation = _Total(), _Total(), _Total(), _Total()
    for index, piece in enumerate(pieces):
        active = piece.active
        energy.add(piece.energy_ukwh, active.energy, index)
        time.add(piece.time_us, active.time, index)
        parking.add(piece.parking_us, active.parking, index)
        reservation.add(piece.reservation_us, active.reservation_time, index)
    # Within one piece parking comes after charging.
    last_time = time if time.piece > parking.piece else parking
    return energy.extra() + last_time.extra() + reservation.extra()
