"""How far the published charge points are complete by the law's list (afir.py)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import orjson

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from domain.open_data.ad_hoc import is_ad_hoc
from domain.open_data.afir import REQUIREMENTS, Requirement, evses_of, missing_at
from domain.open_data.published import Published
from domain.views.current_tariffs import is_valid

A_FEW = 20
"""Locations that are looked at without a rest: some two milliseconds."""
Rest = Callable[[float], Awaitable[object]]


@dataclass(frozen=True)
class Incomplete:
    """A published EVSE that lacks something."""

    location: str
    evse_uid: str
    missing: list[str]
    """names of requirements"""
    mend: list[str]
    """the metadata keys that give them"""


@dataclass
class Completeness:
    of: int = 0
    """published EVSEs"""
    complete: int = 0
    lacking: dict[str, int] = field(default_factory=dict)
    """how many lack what"""
    items: list[Incomplete] = field(default_factory=list)
    """the first of those that lack something"""


async def completeness(
    store: DbInterface, owners: Sequence[str], limit: int | None = None, rest: Rest | None = None
) -> Completeness:
    """Of these parties' (folded keys) published EVSEs; `limit`: so many are named. `rest`: awaited
    after each few locations with the seconds that they took, where others are to be served."""
    ad_hoc = await _ad_hoc_tariffs(store, owners)
    found, lacking = Completeness(), Counter[str]()
    begun = time.monotonic()
    async for rows in Published(store, "locations", owners).all():
        for number, row in enumerate(rows, 1):
            if rest is not None and number % A_FEW == 0:
                await rest(time.monotonic() - begun)
                begun = time.monotonic()
            location: JsonMapping = orjson.loads(row.raw or b"{}")
            for place in evses_of(location, ad_hoc):
                missing = missing_at(place)
                found.of += 1
                lacking.update(one.name for one in missing)
                if not missing:
                    found.complete += 1
                elif limit is None or len(found.items) < limit:
                    found.items.append(_told(location["id"], place.evse["uid"], missing))
    found.lacking = {one.name: lacking[one.name] for one in REQUIREMENTS if lacking[one.name]}
    return found


def _told(location: str, evse_uid: str, missing: Sequence[Requirement]) -> Incomplete:
    mend = list(dict.fromkeys(one.mend for one in missing))
    return Incomplete(location, evse_uid, [one.name for one in missing], mend)


async def _ad_hoc_tariffs(store: DbInterface, owners: Sequence[str]) -> set[str]:
    """The folded ids of those that hold now for a driver without a contract."""
    now = store.db.now()
    found: set[str] = set()
    async for rows in Published(store, "tariffs", owners).all():
        for row in rows:
            tariff = orjson.loads(row.raw or b"{}")
            if is_ad_hoc(tariff) and is_valid(tariff, now):
                found.add(tariff["id"].lower())
    return found
