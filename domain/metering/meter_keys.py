"""The collection `meter_keys`: whose signature the operator believes, per meter.

A key of a connector goes before the one of its charge point, which holds for all connectors that
have none of their own. Keys are put down by the operator alone: never taken from a message.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.owned_objects import fold
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.metering.public_keys import key_text, read_public_key


class MeterKey(TypedDict):
    _id: str
    cp_id: str
    connector_id: str | None
    public_key: str
    set_at: datetime


METER_KEYS: Collection[MeterKey] = Collection("meter_keys")


async def set_key(tx: Tx, cp_id: str, connector_id: str | None, given: str) -> MeterKey:
    """Put down the key of a meter, in any form read_public_key takes. Raises MeterKeyError."""
    key: MeterKey = {
        "_id": _id(cp_id, connector_id),
        "cp_id": cp_id,
        "connector_id": connector_id,
        "public_key": key_text(read_public_key(given)),
        "set_at": tx.now,
    }
    before = await METER_KEYS.of(tx).find_one({"_id": key["_id"]})
    await METER_KEYS.of(tx).replace_one({"_id": key["_id"]}, key, upsert=True)
    await _note(tx, "charge_points.set_meter_key", cp_id, before, key)
    return key


async def remove_key(tx: Tx, cp_id: str, connector_id: str | None) -> bool:
    """Whether there was one."""
    before = await METER_KEYS.of(tx).take({"_id": _id(cp_id, connector_id)})
    if before is not None:
        await _note(tx, "charge_points.remove_meter_key", cp_id, before, None)
    return before is not None


async def _note(
    tx: Tx, action: str, cp_id: str, before: MeterKey | None, after: MeterKey | None
) -> None:
    was, now = (
        None if one is None else {name: dict(one)[name] for name in ("connector_id", "public_key")}
        for one in (before, after)
    )
    await audit.record(tx, action, audit.charge_point(cp_id), before=was, after=now)


async def key_for(where: Where, cp_id: str, connector_id: str) -> str | None:
    """The public key (key_text) of the meter of a connector, or None."""
    ids = [_id(cp_id, connector_id), _id(cp_id, None)]
    found = {key["_id"]: key for key in await METER_KEYS.of(where).find({"_id": {"$in": ids}})}
    return next((found[one]["public_key"] for one in ids if one in found), None)


async def keys_of(where: Where, cp_id: str, connector_id: str | None = None) -> list[MeterKey]:
    """What is put down for a charge point, or for one of its connectors alone."""
    if connector_id is not None:
        return await METER_KEYS.of(where).find({"_id": _id(cp_id, connector_id)})
    prefix = _id(cp_id, None)
    return await METER_KEYS.of(where).find(
        {"_id": {"$gte": prefix, "$lt": prefix + "\uffff"}}, sort=[("_id", 1)]
    )


def _id(cp_id: str, connector_id: str | None) -> str:
    # Ids of charge points hold no bar.
    return f"{fold(cp_id)}|" + ("" if connector_id is None else fold(connector_id))
