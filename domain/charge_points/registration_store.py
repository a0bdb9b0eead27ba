"""The collection `registrations`: what the rooms read of it, and how a record stands with OCPI.

Registering and deregistering is registrations.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from db_interface.collection import Collection, Where
from db_interface.owned_objects import fold
from db_interface.transaction import Tx
from domain.charge_points.registration_records import Offer, Record

REGISTRATIONS: Collection[Record] = Collection("registrations")
STANDING = ("status", "site_id", "ocpi", "metadata.meter_id")
"""What is asked of a record most."""


async def get(where: Where, cp_id: str, fields: Iterable[str] | None = None) -> Record | None:
    """The record of a charge point, whatever its status; ids compare ignoring case.

    `fields`: only these of it.
    """
    wanted = None if fields is None else dict.fromkeys(fields, 1)
    return await REGISTRATIONS.of(where).find_one({"folded_id": fold(cp_id)}, wanted)


async def some(where: Where, cp_ids: Sequence[str], fields: Iterable[str]) -> list[Record]:
    """The records of those of the charge points that have one."""
    wanted = {"folded_id": {"$in": [fold(cp_id) for cp_id in cp_ids]}}
    return await REGISTRATIONS.of(where).find(wanted, dict.fromkeys(fields, 1))


async def canonical_id(where: Where, cp_id: str) -> str | None:
    """The id as EV_Registry has it, of one in any case; None: not registered there, ever."""
    found = await get(where, cp_id, STANDING)
    return None if found is None else found["_id"]


async def of_site(where: Where, site_id: str, fields: Iterable[str]) -> list[Record]:
    return await REGISTRATIONS.of(where).find({"site_id": fold(site_id)}, dict.fromkeys(fields, 1))


async def of_station(where: Where, station: str) -> list[Record]:
    """The EVSEs of an OCPP station, itself among them."""
    return await REGISTRATIONS.of(where).find({"station": station})


async def set_offer(tx: Tx, cp_id: str, offer: Offer) -> None:
    """Keep whether the charge point is offered over OCPI, for the operator."""
    await REGISTRATIONS.of(tx).update_one({"_id": cp_id}, {"$set": {"ocpi": offer}})
