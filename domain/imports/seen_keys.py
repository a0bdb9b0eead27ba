"""Which keys have come already, of a file that may hold millions: 32 bytes for each at most.

Kept is a number of 64 bits made of each key. That two keys of a million have the same happens in
one of thirty million files; the second would then be refused as if it were listed twice.
"""

from __future__ import annotations

from array import array
from hashlib import blake2b

_FIRST_ROOM = 1 << 12
_FREE = 0


class SeenKeys:
    """A table with open addressing, never more than half full."""

    def __init__(self) -> None:
        self._places = array("Q", bytes(8 * _FIRST_ROOM))
        self._number = 0

    def __len__(self) -> int:
        return self._number

    def add(self, key: str) -> bool:
        """Whether it is new."""
        if 2 * self._number >= len(self._places):
            self._grow()
        kept = int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") or 1
        place = _place_of(self._places, kept)
        if self._places[place] == kept:
            return False
        self._places[place] = kept
        self._number += 1
        return True

    def _grow(self) -> None:
        before, self._places = self._places, array("Q", bytes(16 * len(self._places)))
        for kept in before:
            if kept != _FREE:
                self._places[_place_of(self._places, kept)] = kept


def _place_of(places: array[int], kept: int) -> int:
    """Where it is, or belongs."""
    room = len(places) - 1
    place = kept & room
    while places[place] not in (_FREE, kept):
        place = (place + 1) & room
    return place
