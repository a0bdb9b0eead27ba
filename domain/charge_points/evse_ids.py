"""Which charge points stand behind the EVSEs of a location, and what is known of them, in few
queries however many there are. Reads only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from db_interface.collection import Where
from db_interface.json_data import JsonMapping
from db_interface.owned_objects import fold
from domain.charge_points import charge_point_documents, registration_store
from domain.charge_points.charge_point_documents import ChargePoint
from domain.charge_points.registration_store import REGISTRATIONS
from domain.charge_points.site_keys import possible_keys
from domain.sites.identifiers import ocpi_id


async def charge_point_ids(
    where: Where, location: JsonMapping, evse_uids: Sequence[str]
) -> dict[str, str]:
    """{EVSE uid: cp_id} of those that a charge point of ours stands for.

    An EVSE's uid is its cp_id; one that OCPI could not carry is found among its site's.
    """
    keys = possible_keys(location["country_code"], location["party_id"], location["id"])
    rows = await REGISTRATIONS.of(where).find(
        {
            "$or": [
                {"folded_id": {"$in": [fold(uid) for uid in evse_uids]}},
                {"site_id": {"$in": keys}},
            ]
        },
        {"folded_id": 1, "site_id": 1},
    )
    by_own_id = {row["folded_id"]: row["_id"] for row in rows}
    of_site = {
        ocpi_id(row["_id"]).lower(): row["_id"]
        for row in reversed(rows)
        if row.get("site_id") in keys
    }
    found = {uid: by_own_id.get(fold(uid)) or of_site.get(uid.lower()) for uid in evse_uids}
    return {uid: cp_id for uid, cp_id in found.items() if cp_id is not None}


async def states_of(where: Where, cp_ids: Sequence[str]) -> dict[str, ChargePoint]:
    """The documents of those charge points that Central has heard of, by their ids."""
    if len(cp_ids) == 1:
        one = await charge_point_documents.get(where, cp_ids[0])
        return {} if one is None else {one["_id"]: one}
    rows = await charge_point_documents.some(where, cp_ids)
    return {row["_id"]: row for row in rows}


async def registered_meter_id(where: Where, cp_id: str) -> object:
    """`metadata.meter_id` of the registration, as it was given; None: there is none."""
    found = await registration_store.get(where, cp_id, registration_store.STANDING)
    metadata = (found or {}).get("metadata")
    return metadata.get("meter_id") if isinstance(metadata, Mapping) else None
