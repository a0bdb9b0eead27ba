"""A part of a document: some objects in order of creation, rendered, and compressed as one.

A part never changes: what becomes of one with changes is another one. Pure.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from hashlib import blake2b
from typing import NamedTuple

from domain.open_data.gzip_parts import Packed, packed
from domain.open_data.published import Row

OBJECTS = 50
"""Of one part, about: a change rewrites so many, and a page unpacks so many."""

Render = Callable[[bytes], bytes | None]
"""An object's JSON as the document has it; None: it is not in it."""
NameGiver = Callable[[bytes], Collection[str]]
"""What a rendered object names: others that the reader may want to look up."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_DIGEST_BYTES = 16


def no_names(_: bytes) -> Collection[str]:
    return ()


class Piece(NamedTuple):
    """An object as it stands in the document; no bytes: it is known, and does not."""

    place: int
    at_ms: int
    """its last_updated"""
    data: bytes


@dataclass(frozen=True, slots=True)
class Part:
    places: Sequence[int]
    stamps: Sequence[int]
    """milliseconds"""
    sizes: Sequence[int]
    packed: Packed
    shown: Sequence[int]
    """the stamps of those that stand in it, in order"""
    digest: int
    digests: Sequence[bytes]
    """of each of its objects"""
    names: frozenset[str]
    """what its objects name"""

    def pieces(self, between: bytes) -> list[Piece]:
        content, begin = self.packed.content(), 0
        found: list[Piece] = []
        for place, stamp, size in zip(self.places, self.stamps, self.sizes, strict=True):
            data = content[begin : begin + size]
            found.append(Piece(place, stamp, data))
            begin += size + len(between) if size else 0
        return found


def milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def milliseconds_up(moment: datetime) -> int:
    return -((_EPOCH - moment) // _MILLISECOND)


def pieces_of(rows: Iterable[Row], render: Render) -> list[Piece]:
    return [
        Piece(
            row.place,
            milliseconds(row.at),
            b"" if row.raw is None else render(row.raw) or b"",
        )
        for row in rows
    ]


def part_of(pieces: Sequence[Piece], between: bytes, names: NameGiver = no_names) -> Part:
    """`pieces` in order of creation."""
    shown = [piece.data for piece in pieces if piece.data]
    digests = [digest_of(piece.data) for piece in pieces]
    return Part(
        places=array("q", (piece.place for piece in pieces)),
        stamps=array("q", (piece.at_ms for piece in pieces)),
        sizes=array("l", (len(piece.data) for piece in pieces)),
        packed=packed(between.join(shown)),
        shown=array("q", sorted(piece.at_ms for piece in pieces if piece.data)),
        digest=sum(_as_number(one) for one in digests if one),
        digests=digests,
        names=frozenset(name for piece in shown for name in names(piece)),
    )


def changed_part(
    part: Part | None,
    pieces: Sequence[Piece],
    gone: Collection[int],
    between: bytes,
    longest: int,
    names: NameGiver = no_names,
) -> list[Part]:
    """The part with these instead of what it had at their places, or beside it, and without those
    that are gone: none, one, or several where it has grown beyond twice `longest`."""
    same = None if part is None or gone else _as_they_were(part, pieces)
    if same is not None:
        return [same]
    kept = {} if part is None else {piece.place: piece for piece in part.pieces(between)}
    kept.update((piece.place, piece) for piece in pieces)
    all_pieces = [kept[place] for place in sorted(kept.keys() - set(gone))]
    step = longest if len(all_pieces) > 2 * longest else max(1, len(all_pieces))
    return [
        part_of(all_pieces[begin : begin + step], between, names)
        for begin in range(0, len(all_pieces), step)
    ]


def digest_of(piece: bytes) -> bytes:
    """Empty for what does not stand in the document."""
    return blake2b(piece, digest_size=_DIGEST_BYTES).digest() if piece else b""


def _as_number(digest: bytes) -> int:
    """They are added up: what they stand among does not matter, and order follows from creation."""
    return int.from_bytes(digest, "little")


def _as_they_were(part: Part, pieces: Sequence[Piece]) -> Part | None:
    """The part with the new times of these objects, where nothing else of them has changed."""
    stamps = array("q", part.stamps)
    for piece in pieces:
        number = bisect_left(part.places, piece.place)
        known = number < len(part.places) and part.places[number] == piece.place
        if not known or part.digests[number] != digest_of(piece.data):
            return None
        stamps[number] = piece.at_ms
    return replace(part, stamps=stamps)
