"""A document as it is at a moment: its parts, how it is sent, and what tells it from others. Pure.

Its tag says what it holds and not who made it when: every process gives the same document the same.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from operator import is_
from typing import NamedTuple

from domain.open_data.gzip_parts import Packed, gzip_stream, packed
from domain.open_data.parts import (
    OBJECTS,
    NameGiver,
    Part,
    Piece,
    Render,
    changed_part,
    milliseconds,
    milliseconds_up,
    no_names,
    part_of,
    pieces_of,
)
from domain.open_data.published import Changes, Row

_MODULUS = 1 << 128


@dataclass(frozen=True)
class Shape:
    """What stands around a document's objects."""

    media_type: str
    begin: Callable[[datetime], bytes]
    """given when it is made"""
    end: Callable[[datetime], bytes]
    between: bytes = b""
    names: NameGiver = no_names


class Rendering(NamedTuple):
    """How its objects are written. Where `depends_on` is another than before, all are written
    anew."""

    render: Render
    depends_on: Hashable = None


class Selection(NamedTuple):
    """Some of a document's objects, in order of creation."""

    pieces: Sequence[bytes]
    total: int
    """how many there are, not counting where they begin and end"""
    last_place: int | None
    is_last: bool


@dataclass(frozen=True)
class Edition:
    """A document, as it was at `made_at` by the database's clock."""

    shape: Shape
    parts: Sequence[Part]
    made_at: datetime
    depends_on: Hashable = None

    @cached_property
    def tag(self) -> str:
        """Without quotes; the same for the same objects."""
        digest = sum(part.digest for part in self.parts) % _MODULUS
        content = f"{digest:x} {self.number} {self.shape.media_type}"
        return blake2b(content.encode(), digest_size=12).hexdigest()

    @cached_property
    def number(self) -> int:
        """How many objects stand in it."""
        return sum(len(part.shown) for part in self.parts)

    @cached_property
    def known(self) -> int:
        """How many are known, with those that do not stand in it."""
        return sum(len(part.places) for part in self.parts)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(part.names for part in self.parts))

    @cached_property
    def kept_bytes(self) -> int:
        """What it takes of the memory, about."""
        return sum(len(part.packed.data) + 24 * len(part.places) for part in self.parts)

    @cached_property
    def size(self) -> int:
        """Its bytes, uncompressed."""
        return sum(one.size for one in self._sequence)

    @cached_property
    def gzipped(self) -> Sequence[bytes]:
        """All of it as a gzip file, in pieces."""
        return tuple(gzip_stream(self._sequence))

    def ready(self) -> Edition:
        """With all of it worked out that is worked out once: not by whoever reads it first."""
        _ = self.tag, self.number, self.known, self.names, self.kept_bytes, self.size, self.gzipped
        return self

    def content(self) -> Iterator[bytes]:
        """All of it, in pieces."""
        return (one.content() for one in self._sequence)

    @cached_property
    def _sequence(self) -> Sequence[Packed]:
        between = packed(self.shape.between)
        sequence = [packed(self.shape.begin(self.made_at))]
        for part in self.parts:
            if part.shown:
                sequence += [part.packed, between] if self.shape.between else [part.packed]
        if len(sequence) > 1 and self.shape.between:
            sequence.pop()
        return (*sequence, packed(self.shape.end(self.made_at)))

    def select(
        self,
        limit: int,
        *,
        offset: int = 0,
        after: int | None = None,
        date_from: datetime | None = None,
        date_to: datetime | None = None,
    ) -> Selection:
        """`after` continues behind the object at that place; else `offset` counts from the start.
        `date_from` is included, `date_to` is not."""
        begin = None if date_from is None else milliseconds(date_from)
        end = None if date_to is None else milliseconds_up(date_to)
        chosen: list[Piece] = []
        total, skipped = 0, 0
        for part in self.parts:
            fitting = _fitting(part, begin, end)
            total += fitting
            if not fitting or len(chosen) > limit:
                continue
            if after is None and skipped + fitting <= offset:
                skipped += fitting
                continue
            if after is not None and part.places[-1] <= after:
                continue
            for piece in part.pieces(self.shape.between):
                if not piece.data or not _within(piece.at_ms, begin, end):
                    continue
                if after is not None:
                    if piece.place <= after:
                        continue
                elif skipped < offset:
                    skipped += 1
                    continue
                chosen.append(piece)
        page = chosen[:limit]
        return Selection(
            [piece.data for piece in page],
            total,
            page[-1].place if page else None,
            len(chosen) <= limit,
        )

    def at(self, place: int) -> bytes | None:
        """The object at that place, where one stands in it."""
        number = bisect_right(self.parts, place, key=lambda part: part.places[0]) - 1
        if number < 0:
            return None
        pieces = self.parts[number].pieces(self.shape.between)
        return next((piece.data for piece in pieces if piece.place == place), None) or None

    def changed(self, changes: Changes, rendering: Rendering, now: datetime) -> Edition:
        """What it has become by these changes; itself where there are none."""
        parts = _with_changes(self.parts, changes, rendering.render, self.shape)
        if len(parts) == len(self.parts) and all(map(is_, parts, self.parts)):
            return self
        edition = Edition(self.shape, parts, now, rendering.depends_on)
        # Of what does not stand in it nobody is told.
        return replace(edition, made_at=self.made_at) if edition.tag == self.tag else edition


def first_parts(rows: Sequence[Row], rendering: Rendering, shape: Shape) -> list[Part]:
    """Parts of objects that follow all that are there."""
    pieces = pieces_of(rows, rendering.render)
    return [
        part_of(pieces[begin : begin + OBJECTS], shape.between, shape.names)
        for begin in range(0, len(pieces), OBJECTS)
    ]


def _with_changes(
    parts: Sequence[Part], changes: Changes, render: Render, shape: Shape
) -> list[Part]:
    begins = [part.places[0] for part in parts]

    def which(place: int) -> int:
        return max(0, bisect_right(begins, place) - 1)

    written: dict[int, list[Piece]] = {}
    for piece in pieces_of(changes.rows, render):
        written.setdefault(which(piece.place), []).append(piece)
    gone: dict[int, set[int]] = {}
    for place in changes.gone:
        if parts and place in parts[which(place)].places:
            gone.setdefault(which(place), set()).add(place)
    changed: list[Part] = []
    for number, part in enumerate(parts or [None]):
        if number in written or number in gone:
            changed += changed_part(
                part,
                written.get(number, ()),
                gone.get(number, ()),
                shape.between,
                OBJECTS,
                shape.names,
            )
        elif part is not None:
            changed.append(part)
    return changed


def _fitting(part: Part, begin: int | None, end: int | None) -> int:
    """How many of the part's objects stand in the document and lie within."""
    first = 0 if begin is None else bisect_left(part.shown, begin)
    behind = len(part.shown) if end is None else bisect_left(part.shown, end)
    return max(0, behind - first)


def _within(at_ms: int, begin: int | None, end: int | None) -> bool:
    return (begin is None or at_ms >= begin) and (end is None or at_ms < end)
