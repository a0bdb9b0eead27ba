"""Tokens (mod_tokens, receiver): each belongs to the eMSP that wrote it.

A token is known by its party, type and uid: the same uid under two types is two tokens. Only
the party that owns a token may see or change it; the caller checks the party, this file the key.
What an earlier holder of the party has left behind is not there, until it is written again.
In a version whose URLs name no type, a uid means its RFID token, or else the one that there is;
where a version lacks a type, its OTHER means a token of that type that is there.

`form` is the version that tokens come and go in.
"""

from __future__ import annotations

import orjson

from db_interface.collection import Where
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedDocument, fold, party_key
from db_interface.transaction import Tx
from domain.errors import InvalidParameters, UnknownToken
from domain.objects import OcpiObject
from domain.objects.tokens import owned_token
from domain.peers import claims
from domain.rendered import Rendered
from domain.schemas import apply_patch
from domain.versions import INNER_VERSION, Context, ObjectKind, OcpiVersion, Party
from domain.versions.inner import Token

_KEY = ("country_code", "party_id", "type", "uid")
_FIRST = "RFID"


class Tokens:
    module = "tokens"

    def __init__(self, store: DbInterface) -> None:
        self.store = store

    async def get(
        self,
        uid: str,
        *,
        country_code: str,
        party_id: str,
        token_type: str | None = _FIRST,
        form: OcpiVersion = INNER_VERSION,
        **_: object,
    ) -> Rendered | None:
        document = await self._find(self.store.db, country_code, party_id, token_type, uid, form)
        party = party_key(country_code, party_id)
        if document is None or not await _is_its_own(document, party, self.store.db):
            return None
        inner = Rendered(document["raw"]).plain()
        return Rendered(orjson.dumps(form.render(ObjectKind.TOKEN, inner).object))

    async def create(
        self,
        data: OcpiObject,
        *,
        country_code: str | None = None,
        party_id: str | None = None,
        form: OcpiVersion = INNER_VERSION,
        **_: object,
    ) -> str:
        """Keep a valid Token whole; "created", "updated" or "unchanged". Its party is asked for
        where tokens of the version do not name it."""
        owner = Party(country_code, party_id) if country_code and party_id else None
        inner = form.read(ObjectKind.TOKEN, data, Context(party=owner)).object
        party = party_key(inner["country_code"], inner["party_id"])

        async def work(tx: Tx) -> str:
            token = owned_token(
                {**inner, "type": await self._type_kept(tx, inner, form)},
                await claims.current(tx, party),
            )
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
        token_type: str | None = _FIRST,
        form: OcpiVersion = INNER_VERSION,
        **_: object,
    ) -> None:
        """Merge a PATCH into the token; null clears a field.

        Raises UnknownToken, SchemaError (also when last_updated is missing), or
        InvalidParameters when the patch would change what the token is known by.
        """
        patch = form.read_patch(ObjectKind.TOKEN, data)
        named = dict(zip(_KEY, (country_code, party_id, token_type, uid), strict=True))
        for name, asked in named.items():
            if asked is None:
                patch.pop(name, None)  # it is what the token was written as
            elif name in patch and str(patch[name]).lower() != asked.lower():
                raise InvalidParameters(f"{name}: is not the one in the URL")

        async def merge(tx: Tx) -> None:
            document = await self._find(tx, country_code, party_id, token_type, uid, form)
            party = party_key(country_code, party_id)
            if document is None or not await _is_its_own(document, party, tx):
                raise UnknownToken
            # What the token is known by keeps the case that it was first written with.
            same_key = {name: document["fields"][name] for name in _KEY}
            stored = Rendered(document["raw"]).plain()
            changed = apply_patch(Token, stored, {**patch, **same_key})
            token = owned_token(changed, await claims.current(tx, party))
            await self.store.create(self.module, token, tx)

        await self.store.transact(merge)

    async def _type_kept(self, tx: Tx, inner: OcpiObject, form: OcpiVersion) -> str:
        """The type under which the token is known: that of one which is there already, where the
        version could not say it."""
        if not form.may_stand_for_others(inner["type"]):
            return str(inner["type"])
        country_code, party_id, token_type, uid = (str(inner[name]) for name in _KEY)
        there = await self._find(tx, country_code, party_id, token_type, uid, form)
        kept: str = inner["type"] if there is None else there["fields"]["type"]
        return kept if form.lacks_token_type(kept) else inner["type"]

    async def _find(
        self,
        where: Where,
        country_code: str,
        party_id: str,
        token_type: str | None,
        uid: str,
        form: OcpiVersion,
    ) -> OwnedDocument | None:
        tokens = self.store.objects(self.module).of(where)
        if token_type is not None:
            key = fold(country_code, party_id, token_type, uid)
            found = await tokens.find_one({"_id": key})
            if found is not None or not form.may_stand_for_others(token_type):
                return found
        same_uid = await tokens.find(
            {"owner": party_key(country_code, party_id), "lid": uid.lower()}, sort=[("seq", 1)]
        )
        if token_type is None:
            return min(same_uid, key=lambda one: one["fields"]["type"] != _FIRST, default=None)
        meant = (one for one in same_uid if _may_mean(one["fields"]["type"], token_type, form))
        return next(meant, None)


def _may_mean(inner_type: str, token_type: str, form: OcpiVersion) -> bool:
    return form.lacks_token_type(inner_type) and form.token_type(inner_type) == token_type


async def _is_its_own(document: OwnedDocument, party: str, where: Where) -> bool:
    return document["audience"] in await claims.audiences_of(where, party)
