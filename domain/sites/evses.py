"""The EVSEs of one site: those of its charge points, and those that peers know from before.

An EVSE that peers were told of never vanishes ("EVSEs are never deleted", OCPI 2.2.1,
mod_locations): it becomes REMOVED.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from db_interface.json_data import JsonMapping, JsonObject
from domain.sites.evse import REMOVED, draft_evse, status_of, uid_of
from domain.sites.fields import BadValue, geo_location, read_point
from domain.sites.records import Record

Evse = JsonObject


@dataclass
class SiteEvses:
    """EVSEs without timestamps by folded uid, in order of registration."""

    evses: dict[str, Evse] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    """By cp_id, why a charge point is not offered as its record says now."""
    warnings: list[str] = field(default_factory=list)
    parking_places: list[JsonObject] = field(default_factory=list)


def gather_evses(
    records: Sequence[Record],
    statuses: Mapping[str, str],
    owner: tuple[str, str],
    previous: JsonMapping | None,
    *,
    refused: Mapping[str, list[str]] = MappingProxyType({}),
) -> SiteEvses:
    """The EVSEs of the records; `owner` is country_code and party_id.

    One bad record does not take its neighbours off the map: its EVSE stays as peers know it, with
    its present status, or is left out. Where not one record is good, there are none. `refused`:
    the reasons of those, by cp_id, that are known to be bad for what they say of their site.
    """
    site = SiteEvses()
    known = _known(previous)
    any_good = False
    for record in records:
        status = status_of(record, statuses)
        draft = draft_evse(record, status, *owner)
        if record.cp_id in refused:
            draft.evse, draft.reasons = None, [*refused[record.cp_id], *draft.reasons]
        uid = draft.uid.lower()
        site.warnings += [f"{record.cp_id}: {warning}" for warning in draft.warnings]
        if draft.evse:
            site.evses[uid] = draft.evse
            site.parking_places += draft.parking_places
            any_good = True
            continue
        site.reasons[record.cp_id] = draft.reasons
        site.warnings += draft.reasons
        if uid in known:
            site.evses[uid] = {**known[uid], "status": status}
    if not any_good:
        site.evses.clear()
    return site


def with_removed(evses: Mapping[str, Evse], previous: JsonMapping | None) -> list[Evse]:
    """All EVSEs, those that are no longer here as REMOVED; in the order that peers know."""
    known = _known(previous)
    gone = [{**evse, "status": REMOVED} for uid, evse in known.items() if uid not in evses]
    position = {uid: index for index, uid in enumerate(known)}
    return sorted(
        [*evses.values(), *gone],
        key=lambda evse: position.get(evse["uid"].lower(), len(known)),
    )


def add_own_coordinates(
    evses: Mapping[str, Evse], records: Sequence[Record], site: Mapping[str, str]
) -> None:
    """A charge point that gives other coordinates than its site's stands there itself."""
    for record in records:
        evse = evses.get(uid_of(record).lower())
        try:
            point = read_point(record.metadata.get("coordinates"))
        except BadValue:
            continue
        if evse and point and geo_location(point) != site:
            evse.setdefault("coordinates", geo_location(point))


def _known(previous: JsonMapping | None) -> dict[str, Evse]:
    return {evse["uid"].lower(): evse for evse in (previous or {}).get("evses", [])}
