"""The platform's own few facts: who it is and where it is reached, which tariff is the default.

One document of `platform` for each, by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.database import Database
from db_interface.transaction import Tx
from domain.audit import entries as audit

_ADDRESS, _DEFAULT_TARIFF, _TRIAL = "face", "default_tariff", "doctor"
_RESTORED = "restored"


class Fact(TypedDict, total=False):
    _id: str
    OCPI_HOST: str
    PROTOCOL: str
    CPO_PARTIES: str
    COUNTRY_CODE: str
    PARTY_ID: str
    PROJECT_NAME: str
    CPO_APPROVE_PEERS: bool
    CPO_OCPI_VERSIONS: str
    CPO_OPEN_DATA: bool
    CENTRAL_PORT: int
    REGISTRY_API_PORT: int
    tariff_id: str
    at: datetime
    """How far a job has come; when the store was restored."""


PLATFORM: Collection[Fact] = Collection("platform")


async def announce_address(db: Database, facts: Mapping[str, object]) -> None:
    """Keep where and who this platform is, for commands that run beside the servers."""
    await PLATFORM.of(db).update_one({"_id": _ADDRESS}, {"$set": facts}, upsert=True)


async def announced_address(db: Database) -> Fact:
    """The settings of that kind of the servers that run or ran; empty before the first."""
    return await PLATFORM.of(db).find_one({"_id": _ADDRESS}, {"_id": 0}) or {}


async def note_restored(db: Database) -> None:
    """The store has come out of a backup just now."""
    await PLATFORM.of(db).update_one({"_id": _RESTORED}, {"$set": {"at": db.now()}}, upsert=True)


async def restored_at(where: Where) -> datetime | None:
    """When it has, the last time: what began before then may be known to others, and not here."""
    found = await PLATFORM.of(where).find_one({"_id": _RESTORED})
    return None if found is None else found["at"]


async def default_tariff(where: Where) -> str | None:
    """The id of the tariff of connectors that name none, or None."""
    found = await PLATFORM.of(where).find_one({"_id": _DEFAULT_TARIFF})
    return None if found is None else found["tariff_id"]


async def set_default_tariff(tx: Tx, tariff_id: str | None) -> None:
    """Name the default tariff, or (None) have none; sessions that run keep theirs."""
    before = await default_tariff(tx)
    if tariff_id is None:
        await PLATFORM.of(tx).delete_one({"_id": _DEFAULT_TARIFF})
    else:
        await PLATFORM.of(tx).update_one(
            {"_id": _DEFAULT_TARIFF}, {"$set": {"tariff_id": tariff_id}}, upsert=True
        )
    await audit.record(
        tx,
        "tariffs.default",
        *(audit.tariff(one) for one in dict.fromkeys((before, tariff_id)) if one is not None),
        before={"default": before},
        after={"default": tariff_id},
    )


async def try_to_write(tx: Tx) -> None:
    """Write and delete a document: shows that a transaction goes through."""
    await PLATFORM.of(tx).update_one({"_id": _TRIAL}, {"$set": {"tariff_id": ""}}, upsert=True)
    await PLATFORM.of(tx).delete_one({"_id": _TRIAL})
