"""Who sees what: one predicate for list, single GET, count and push alike.

Every owned object carries one audience: "*" for every peer, "guests" for every peer that has
not been narrowed, "" for nobody, or the folded party that it is for ("nl*tnm"; once the party
has changed hands "nl*tnm#1": see peers/claims.py). A reader has the audiences that are open to
him; he sees an object exactly when its audience is among them.

Sessions and CDRs go to the party whose token was used; tokens to the party that wrote them.
`publish` and `publish_allowed_to` are data that the eMSP must obey (mod_locations, 8.3.1):
such locations go out with the flags as they are, unless the peer is narrowed to what it may
show its drivers, as all are in a version of OCPI that has no such flag. A location held back, or
private, goes to nobody. A peer that insists on fields beyond the specification is not offered a
location that lacks one, and one that is given some groups of locations is offered no other.
Tariffs go to it all the same: in the text a tariff belongs to a party, not to a place, and
sessions and CDRs of before refer to it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from db_interface.demand import NO_DEMAND, Demand
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import EVERYBODY, NOBODY, party_key
from domain.versions import OcpiVersion

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
    groups: tuple[str, ...] | None = None
    """The groups of locations that it is given; None: all locations."""

    @classmethod
    def of(
        cls,
        settings: JsonMapping | None,
        parties: Sequence[str],
        holds: Sequence[str] | None,
        version: OcpiVersion | None = None,
    ) -> Reader:
        """A peer with these settings (of its document), in the name of these parties, that reads in
        this version of OCPI."""
        settings = settings or {}
        groups = settings.get("groups")
        narrowed = version is not None and version.description.shows_only_published
        return cls(
            parties=tuple(parties),
            narrowed=narrowed or bool(settings.get("narrowed")),
            holds=None if holds is None else tuple(holds),
            requires=tuple(settings.get("requires") or ()),
            groups=None if groups is None else tuple(groups),
        )


def audiences(module: str, reader: Reader) -> tuple[str, ...]:
    """The audiences of `module` that are open to the reader; never empty."""
    if module in _FOR_ALL:
        return (EVERYBODY,) if reader.narrowed else (EVERYBODY, GUESTS)
    open_to_it = reader.parties if reader.holds is None else reader.holds
    return open_to_it or ("(no party)",)


def party_of(audience: str) -> str:
    """The folded party that an audience is one of."""
    return audience.partition("#")[0]


def required(module: str, reader: Reader) -> Demand:
    """What an object of `module` has to be, besides, for the reader to be offered it."""
    return Demand(reader.requires, reader.groups) if module == "locations" else NO_DEMAND


def visible(module: str, reader: Reader) -> JsonObject:
    """The query for all that the reader may see of `module`."""
    return {
        "audience": {"$in": list(audiences(module, reader))},
        **required(module, reader).query(),
    }


def may_see(
    module: str,
    reader: Reader,
    audience: str,
    has: Collection[str] = (),
    groups: Collection[str] = (),
) -> bool:
    """`has`, `groups`: of a location, its fields that can be required, and its groups."""
    if audience == NOBODY or audience not in audiences(module, reader):
        return False
    return required(module, reader).met_by(has, groups)


def audience_of_location(location: JsonMapping, *, private: bool = False) -> str:
    if private:
        return NOBODY
    return EVERYBODY if location.get("publish", True) else GUESTS


def audience_of_token_holder(cdr_token: JsonMapping | None) -> str:
    """Sessions and CDRs: the party whose token was used; without one, nobody."""
    if not cdr_token:
        return NOBODY
    return party_key(cdr_token["country_code"], cdr_token["party_id"])
