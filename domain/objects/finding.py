"""An object of ours by the id that people know, whatever its case and whose party's it is."""

from __future__ import annotations

from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedDocument, party_key
from db_interface.transaction import Tx


class NotFoundById(LookupError):
    """There is none, or several parties have one; the message says which."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self._said = said

    def __str__(self) -> str:
        return self._said


async def find_object(
    store: DbInterface,
    module: str,
    object_id: str,
    party: tuple[str, str] | None = None,
    tx: Tx | None = None,
) -> OwnedDocument:
    """Its document; as nl/evc/loc1, its key, too. `party` (country_code, party_id) where several
    have one of that id. Raises NotFoundById."""
    one = module.removesuffix("s")
    query: JsonObject = {"lid": object_id.lower()}
    if party is not None:
        query["owner"] = party_key(*party)
    rows = await store.objects(module).documents(query, tx=tx)
    if not rows and "/" in object_id:
        rows = await store.objects(module).documents({"_id": object_id.lower()}, tx=tx)
    if not rows:
        raise NotFoundById(f"there is no {one} {object_id}")
    if len(rows) > 1:
        raise NotFoundById(f"several parties have a {one} {object_id}: name one with --party")
    return rows[0]
