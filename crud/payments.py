"""Payments (OCPI 2.3.0, mod_payments, receiver): what a payment terminal provider sends us."""

from __future__ import annotations

import orjson

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from domain.payments import payments
from domain.rendered import Rendered
from domain.schemas import format_datetime
from domain.versions import ObjectKind, OcpiVersion


class Payments:
    module = "payments"

    def __init__(self, store: DbInterface) -> None:
        self.store = store

    async def get(
        self, object_id: str, *, kind: ObjectKind, form: OcpiVersion, peer_id: str, **_: object
    ) -> Rendered | None:
        found = await payments.kept(self.store.db, peer_id, kind, object_id)
        if found is None:
            return None
        return Rendered(orjson.dumps(form.render(kind, found.plain()).object))

    async def create(
        self, data: JsonMapping, *, kind: ObjectKind, form: OcpiVersion, peer_id: str, **_: object
    ) -> str:
        """ "created" or "updated". A terminal may be no more than its id: then it is of now.

        Raises SchemaError.
        """
        now = format_datetime(self.store.db.now())
        given = {"last_updated": now, **data} if kind is ObjectKind.TERMINAL else data
        inner = form.read(kind, given).object
        return await payments.keep(self.store, peer_id, kind, inner)
