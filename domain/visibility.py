"""Who sees what: one predicate for list, single GET, count and push alike.

Every owned object carries one audience: "*" for every peer, "guests" for every peer that has
not been narrowed, "" for nobody, or the folded party that it is for ("nl*tnm"; once the party
has changed hands "nl*tnm#1": see peers/claims.py). A reader has the audiences that are open to
him; he sees an object exactly when its audience is among them.

Sessions and CDRs go to the party whose token was used; tokens to the party that wrote them.
`publish` and `publish_allowed_to` are data that the eMSP must obey (mod_locations, 8.3.1):
such locations go out with the flags as they are, unless the peer is narrowed to what it may
show its drivers. A location held back, or private, goes to nobody. A peer that
insists on fields beyond the specification is not offered a location that lacks one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from db_interface.json_data import JsonMapping
from db_interface.owned_objects import EVERYBODY, NOBODY, party_key

GUESTS = "guests"
_FOR_ALL = ("locations", "tariffs")


@dataclass(frozen=True)
class Reader:
    """A peer as far as visibility goes: its parties, folded, and whether it is narrowed.

    `holds`: what its parties' claims open to it; None: what was made for them before any of them
    changed hands.
    `requires`: the fields (objects/location_fields.py) without which it is offered no location.
    """

    parties: tuple[str, ...]
    narrowed: bool = False
    holds: tuple[str, ...] | None = None
    requires: tuple[str, ...] = ()


def audiences(module: str, reader: Reader) -> tuple[str, ...]:
    """The audiences of `module` that are open to the reader; never empty."""
    if module in _FOR_ALL:
        return (EVERYBODY,) if reader.narrowed else (EVERYBODY, GUESTS)
    open_to_it = reader.parties if reader.holds is None else reader.holds
    return open_to_it or ("(no party)",)


def party_of(audience: str) -> str:
    """The folded party that an audience is one of."""
    return audience.partition("#")[0]


def required(module: str, reader: Reader) -> tuple[str, ...]:
    """What an object of `module` has to have for the reader to be offered it."""
    return reader.requires if module == "locations" else ()


def may_see(module: str, reader: Reader, audience: str, has: Collection[str] = ()) -> bool:
    """`has`: of a location, its fields that can be required."""
    if audience == NOBODY or audience not in audiences(module, reader):
        return False
    return all(name in has for name in required(module, reader))


def audience_of_location(location: JsonMapping, *, private: bool = False) -> str:
    if private:
        return NOBODY
    return EVERYBODY if location.get("publish", True) else GUESTS


def audience_of_token_holder(cdr_token: JsonMapping | None) -> str:
    """Sessions and CDRs: the party whose token was used; without one, nobody."""
    if not cdr_token:
        return NOBODY
    return party_key(cdr_token["country_code"], cdr_token["party_id"])
