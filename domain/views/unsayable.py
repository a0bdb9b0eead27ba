"""Which objects a version has no way to say, whether or not its views have been made."""

from __future__ import annotations

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedDocument
from domain.versions import OcpiVersion
from domain.views.making import made_for, view_of

_AT_ONCE = 100


async def unsayable(
    store: DbInterface, module: str, wanted: JsonMapping, form: OcpiVersion
) -> list[str]:
    """The keys of those of these objects that cannot be said in the version."""
    view = view_of(form)
    candidates: list[JsonObject] = [{"unsaid": view.name}]
    if not view.same_if_absent:
        candidates.append({view.field: {"$exists": False}})
    query = {"$and": [wanted, {"$or": candidates}]}
    stream = store.objects(module).of(store.db).stream(query, {"raw": 1})
    found: list[str] = []
    batch: list[OwnedDocument] = []
    async for document in stream:
        batch.append(document)
        if len(batch) == _AT_ONCE:
            found += await _of(store, module, batch, form)
            batch = []
    return found + await _of(store, module, batch, form)


async def _of(
    store: DbInterface, module: str, batch: list[OwnedDocument], form: OcpiVersion
) -> list[str]:
    made = await made_for(store.db, module, [document["raw"] for document in batch], form)
    return [document["_id"] for document, one in zip(batch, made, strict=True) if one is None]
