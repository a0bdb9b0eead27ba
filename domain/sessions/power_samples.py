"""How a session's energy grew, in a few bytes of its document: what its power curve is drawn from.

One is taken of each of the first meter values, then whenever its Session is brought up to date.
They stay about evenly spaced and few, however long it charges: of too many every other one goes.
Nothing is billed by them. Pure.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

MAX_SAMPLES = 180
EARLY = 20
"""So many are taken of every meter value: a session may be short."""
_SAMPLE = struct.Struct("<iff")
"""Tenths of a second since the session was opened, Wh, and W (not a number: not told)."""
_TENTHS = timedelta(milliseconds=100)
_FARTHEST = 2**31 - 1


class Sample(NamedTuple):
    at: datetime
    energy_wh: float
    power_w: float | None


def with_sample(
    kept: bytes, opened: datetime, at: datetime, energy_wh: float, power_w: float | None
) -> bytes:
    """The samples with one more. Those that are not before it go: it was corrected by hand."""
    offset = (at - opened) // _TENTHS
    if abs(offset) > _FARTHEST:
        return kept
    rows = [row for row in _SAMPLE.iter_unpack(kept) if row[0] < offset]
    new = (offset, energy_wh, math.nan if power_w is None else power_w)
    if len(rows) > 1:
        gap = (offset - rows[0][0]) / MAX_SAMPLES
        if rows[-1][0] - rows[-2][0] < gap:
            rows.pop()
    rows.append(new)
    if len(rows) > MAX_SAMPLES:
        rows = _thinned(rows)
    return b"".join(_SAMPLE.pack(*row) for row in rows)


def is_early(kept: bytes) -> bool:
    return len(kept) < EARLY * _SAMPLE.size


def samples_of(kept: bytes, opened: datetime) -> Iterator[Sample]:
    """In the order of time."""
    for offset, energy_wh, power_w in _SAMPLE.iter_unpack(kept):
        told = None if math.isnan(power_w) else power_w
        yield Sample(opened + offset * _TENTHS, energy_wh, told)


_Row = tuple[int, float, float]


def _thinned(rows: Sequence[_Row]) -> list[_Row]:
    """Those that are twice as far from each other; the first and the last stay."""
    gap = 2 * (rows[-1][0] - rows[0][0]) / MAX_SAMPLES
    left = [rows[0]]
    for row in rows[1:-1]:
        if row[0] - left[-1][0] >= gap:
            left.append(row)
    return [*left, rows[-1]]
