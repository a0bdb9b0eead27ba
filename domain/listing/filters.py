"""What a list is narrowed by: declared once, read the same at every door. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from enum import Enum

from domain.peers.terms import BadTerms, party_in

YES = ("true", "1", "yes", "on", "t", "y")
NO = ("false", "0", "no", "off", "f", "n")


class BadFilter(ValueError):
    """What a list was asked for cannot be: which filter, and why."""

    def __init__(self, name: str, why: str, *, unknown: bool = False) -> None:
        super().__init__(f"{name}: {why}")
        self.unknown = unknown
        """There is no filter of that name."""


class Kind(str, Enum):
    TEXT = "text"
    CHOICE = "choice"
    YES_OR_NO = "yes or no"
    MOMENT = "moment"


@dataclass(frozen=True)
class Filter:
    """`name`: in addresses and the API; `label`: for people, above its field; `meaning`: what it
    lists, for the API's docs and the command line's help."""

    name: str
    label: str
    meaning: str
    kind: Kind = Kind.TEXT
    choices: Sequence[str] = ()
    max_length: int = 64
    narrow: bool = False
    """Few rows are left, whichever value it has."""
    reading: Callable[[str], object] = str

    def read(self, text: str, zone: tzinfo = timezone.utc) -> object:
        """Its value; a time without a zone of its own is one of `zone`. Raises BadFilter."""
        if not text:
            raise BadFilter(self.name, "is empty")
        if len(text) > self.max_length:
            raise BadFilter(self.name, f"is longer than {self.max_length} characters")
        if not text.isprintable():
            raise BadFilter(self.name, "has characters that nobody can see")
        try:
            return self._value(text, zone)
        except ValueError as error:
            raise BadFilter(self.name, str(error)) from None

    def _value(self, text: str, zone: tzinfo) -> object:
        if self.kind is Kind.MOMENT:
            return moment_in(text, zone)
        if self.kind is Kind.YES_OR_NO:
            if text.lower() not in (*YES, *NO):
                raise ValueError("is true or false")
            return text.lower() in YES
        if self.kind is Kind.CHOICE and text not in self.choices:
            raise ValueError(f"is none of {', '.join(self.choices)}")
        return self.reading(text)


def text(
    name: str, label: str, meaning: str, max_length: int = 64, *, narrow: bool = False
) -> Filter:
    return Filter(name, label, meaning, max_length=max_length, narrow=narrow)


def choice(name: str, label: str, meaning: str, choices: Sequence[str]) -> Filter:
    return Filter(name, label, meaning, Kind.CHOICE, choices)


def flag(name: str, label: str, meaning: str) -> Filter:
    return Filter(name, label, meaning, Kind.YES_OR_NO, ("true", "false"))


def party(name: str, label: str, meaning: str) -> Filter:
    """Its value is the folded key."""
    return Filter(name, label, f"{meaning} (NL/EVC).", max_length=6, reading=_party)


def period(of_what: str) -> tuple[Filter, Filter]:
    """Two: `from` (then on) and `to` (before then)."""
    return (
        Filter("from", "From", f"{of_what} from then on (2025-05-01T00:00:00Z).", Kind.MOMENT),
        Filter("to", "Before", f"{of_what} before then.", Kind.MOMENT),
    )


def between(values: dict[str, object]) -> dict[str, object] | None:
    """[from, to) as a query's condition; None: at any time."""
    bounds = {"$gte": values.get("from"), "$lt": values.get("to")}
    return {name: at for name, at in bounds.items() if at is not None} or None


def moment_in(written: str, zone: tzinfo) -> datetime:
    """2025-05-01, 2025-05-01 12:00, 2025-05-01T12:00:00Z ... in UTC. Raises ValueError."""
    # Of a plus sign an address makes a blank: before an offset it is meant.
    said = written.strip().replace("Z", "+00:00").replace("z", "+00:00")
    day, _, rest = said.replace("T", " ").partition(" ")
    clock = rest.replace(" ", "+")
    try:
        found = datetime.fromisoformat(f"{day}T{clock}" if clock else f"{day}T00:00")
        aware = found if found.tzinfo else found.replace(tzinfo=zone)
        return aware.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise ValueError("is no time like 2025-05-01T12:00:00Z") from None


def _party(written: str) -> str:
    try:
        return party_in(written)
    except BadTerms as error:
        raise ValueError(str(error)) from None
