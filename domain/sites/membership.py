"""Whose a site is, who stands there, and who says what the site is.

A site belongs to its first charge point. Another one that names it joins with the operator's key,
or when the owner's `metadata.site_members` lists it; until then it waits. The fields of the
Location come from the owner and from what the operator registered; all others add their EVSE.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from db_interface.owned_objects import fold
from domain.sites.records import Record


def waiting(records: Sequence[Record]) -> dict[str, list[str]]:
    """Those of a site's charge points (in order of registration) that nobody let in: the reason
    by cp_id.
    """
    owner = owner_of(records)
    return {
        record.cp_id: [
            f"site {record.metadata.get('site_id')} is another's: its owner must list "
            f"{record.cp_id} in metadata.site_members, or the operator let it in "
            f"(cpo charge-points approve {record.cp_id})"
        ]
        for record in records
        if record.waiting and not _consents(owner, record)
    }


def owner_of(records: Sequence[Record]) -> Record | None:
    """The first charge point of the site; where it moved away, the first that was let in."""
    inside = [record for record in records if not record.waiting]
    return next((record for record in inside if not record.guest), inside[0] if inside else None)


def speakers(offered: Sequence[Record], owner: Record | None) -> Iterator[list[Record]]:
    """Whose facts describe the site: the first group whose facts are good. A charge point that is
    gone speaks last. Others than the owner and the operator are asked where these say nothing.
    """
    rest = [record for record in offered if record is not owner and not record.by_operator]
    entitled = [record for record in offered if record not in rest]
    entitled.sort(key=lambda record: (record.deregistered, record is not owner))
    if len(entitled) > 1:
        yield entitled
    for record in (*entitled, *sorted(rest, key=lambda record: record.deregistered)):
        yield [record]


def _consents(owner: Record | None, record: Record) -> bool:
    members = None if owner is None else owner.metadata.get("site_members")
    if not isinstance(members, list):
        return False
    return fold(record.cp_id) in [fold(str(member)) for member in members]
