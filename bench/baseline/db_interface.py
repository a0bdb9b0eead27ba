"""The example's DbInterface: documents are OCPI objects as they are, in a collection of its own."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from motor.motor_asyncio import AsyncIOMotorClient
from py_ocpi.core.enums import ModuleID

from bench.baseline import TABLE

client: Any = AsyncIOMotorClient(os.environ["CPO_MONGO_URL"])
db = client[os.environ["BENCH_DATABASE"]]


class DbInterface:
    MODULE_MAP: ClassVar = {ModuleID.locations: TABLE}

    @classmethod
    async def get(cls, module: ModuleID, id: str, *_: Any, **__: Any) -> dict[str, Any] | None:
        return await db[cls.MODULE_MAP[module]].find_one({"id": id})

    @classmethod
    async def get_all(
        cls, module: ModuleID, filters: dict[str, Any], *_: Any, **__: Any
    ) -> tuple[list[dict[str, Any]], int, bool]:
        rows = await cls.list(module, filters)
        total = await cls.count(module, filters)
        limit = filters.get("limit", 0)
        return rows, total, filters.get("offset", 0) + limit >= total if limit else True

    @classmethod
    async def list(cls, module: ModuleID, filters: dict[str, Any]) -> list[dict[str, Any]]:
        found = db[cls.MODULE_MAP[module]].find(cls._dates(filters)).sort("_id")
        return (
            await found.skip(filters.get("offset", 0)).limit(filters.get("limit", 0)).to_list(None)
        )

    @classmethod
    async def count(cls, module: ModuleID, filters: dict[str, Any]) -> int:
        return await db[cls.MODULE_MAP[module]].count_documents(cls._dates(filters))

    @staticmethod
    def _dates(filters: dict[str, Any]) -> dict[str, Any]:
        bounds = {}
        if filters.get("date_to"):
            bounds["$lte"] = filters["date_to"].isoformat()
        if filters.get("date_from"):
            bounds["$gte"] = filters["date_from"].isoformat()
        return {"last_updated": bounds} if bounds else {}
