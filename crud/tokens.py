"""Tokens (OCPI 2.2.1, mod_tokens, receiver): each belongs to the eMSP that wrote it.

A token is known by its party, type and uid: the same uid under two types is two tokens. Only
the party that owns a token may see or change it; the caller checks the party, this file the key.
What an earlier holder of the party has left behind is not there, until it is written again.
"""

from __future__ import annotations

from db_interface.collection import Where
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedDocument, fold, party_key
from db_interface.transaction import Tx
from domain.errors import InvalidParameters, UnknownToken
from domain.objects import OcpiObject
from domain.objects.tokens import owned_token
from domain.peers import claims
from domain.rendered import Rendered
from domain.schemas import Token, apply_patch, validate_patch

_KEY = ("country_code", "party_id", "type", "uid")


class Tokens:
    module = "tokens"

    def __init__(self, store: DbInterface) -> None:
        self.store = store

    async def get(
        self, uid: str, *, country_code: str, party_id: str, token_type: str = "RFID", **_: object
    ) -> Rendered | None:
        document = await self.store.objects(self.module).document(
            fold(country_code, party_id, token_type, uid)
        )
        party = party_key(country_code, party_id)
        if document is None or not await _is_its_own(document, party, self.store.db):
            return None
        return Rendered(document["raw"])

    async def create(self, data: OcpiObject, **_: object) -> str:
        """Keep a valid Token whole; "created", "updated" or "unchanged"."""
        party = party_key(data["country_code"], data["party_id"])

        async def work(tx: Tx) -> str:
            token = owned_token(data, await claims.current(tx, party))
            before = await self.store.objects(self.module).document(token.key, tx)
            known = before is not None and await _is_its_own(before, party, tx)
            outcome = await self.store.create(self.module, token, tx)
            return outcome if known else "created"

        return await self.store.transact(work)

    async def update(
        self,
        data: OcpiObject,
        uid: str,
        *,
        country_code: str,
        party_id: str,
        token_type: str = "RFID",
        **_: object,
    ) -> Rendered:
        """Merge a PATCH into the token; null clears a field. Returns the token as it is now.

        Raises UnknownToken, SchemaError (also when last_updated is missing), or
        InvalidParameters when the patch would change what the token is known by.
        """
        patch = validate_patch(Token, data)
        named = dict(zip(_KEY, (country_code, party_id, token_type, uid), strict=True))
        for name in _KEY:
            if name in patch and str(patch[name]).lower() != named[name].lower():
                raise InvalidParameters(f"{name}: is not the one in the URL")
        key = fold(*named.values())

        async def merge(tx: Tx) -> Rendered:
            document = await self.store.objects(self.module).document(key, tx)
            party = party_key(country_code, party_id)
            if document is None or not await _is_its_own(document, party, tx):
                raise UnknownToken
            # What the token is known by keeps the case that it was first written with.
            same_key = {name: document["fields"][name] for name in _KEY}
            stored = Rendered(document["raw"]).plain()
            changed = apply_patch(Token, stored, {**patch, **same_key})
            token = owned_token(changed, await claims.current(tx, party))
            await self.store.create(self.module, token, tx)
            return Rendered(token.document()["raw"])

        return await self.store.transact(merge)


async def _is_its_own(document: OwnedDocument, party: str, where: Where) -> bool:
    return document["audience"] in await claims.audiences_of(where, party)
