"""Which of our parties a site is: part of its key, for each party has sites of its own.

The key of a site of the platform's first party is the site's id; any other party's has the party
before it, "nl/evc/site-1". No site id holds a slash (domain.sites.identifiers).
"""

from __future__ import annotations

from typing import NamedTuple, TypedDict

from db_interface.owned_objects import fold
from domain.sites import Party


class OwnParty(TypedDict):
    """A party of ours, as a registration names it."""

    country_code: str
    party_id: str
    name: str


class SiteParty(NamedTuple):
    """domain.sites.Party, as registrations have it."""

    country_code: str
    party_id: str
    name: str


def site_key(site_id: str, party: OwnParty | None) -> str:
    """`party`: None is the first."""
    if party is None:
        return fold(site_id)
    return "/".join((fold(party["country_code"]), fold(party["party_id"]), fold(site_id)))


def location_id_of(key: str) -> str:
    """The folded id of the site's Location."""
    return key.rpartition("/")[2]


def location_key(key: str, first: Party) -> str:
    """The key of the site's Location among the objects."""
    country_code, party_id, site_id = _parts(key) or (first.country_code, first.party_id, key)
    return fold(country_code, party_id, site_id)


def party_of(key: str, named: OwnParty | None, first: Party) -> Party:
    """Whose the site is. `named`: by one of its charge points."""
    parts = _parts(key)
    if parts is None:
        return first
    if named is not None:
        return SiteParty(named["country_code"], named["party_id"], named["name"])
    return SiteParty(parts[0].upper(), parts[1].upper(), "")


def possible_keys(country_code: str, party_id: str, location_id: str) -> list[str]:
    """The keys of the site whose Location this may be."""
    named: OwnParty = {"country_code": country_code, "party_id": party_id, "name": ""}
    return [site_key(location_id, None), site_key(location_id, named)]


def _parts(key: str) -> tuple[str, str, str] | None:
    country_code, _, rest = key.partition("/")
    party_id, slash, site_id = rest.partition("/")
    return (country_code, party_id, site_id) if slash else None
