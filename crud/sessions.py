"""Sessions (OCPI 2.2.1, mod_sessions): read by the parties that may see them; preferences taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from crud.sender_module import SenderModule
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.sessions.charging_preferences import ACCEPTED, response_to
from domain.sessions.session_records import COLLECTION, get
from domain.visibility import Reader


class Sessions(SenderModule):
    module = "sessions"

    def __init__(self, store: DbInterface, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(store)
        self._clock = clock or store.db.now

    async def update(
        self,
        data: Mapping[str, Any],
        session_id: str,
        *,
        reader: Reader | None = None,
        owners: Any = None,
        **_: Any,
    ) -> str | None:
        """Take the driver's charging preferences (a valid ChargingPreferences).

        Returns a ChargingPreferencesResponse; None where the reader sees no such session. Raises
        PreferencesNotSupported. Accepted ones hold from the next meter value on: the tariff of
        their profile_type comes into force.
        """
        found = await self.get(session_id, reader=reader, owners=owners)
        if found is None:
            return None
        own_id = found.plain()["id"]

        async def work(tx: Tx) -> str | None:
            document = await get(self.store.db, own_id, tx)
            if document is None:
                return None
            response = response_to(data, document, self._clock())
            if response == ACCEPTED:
                await self.store.db[COLLECTION].update_one(
                    {"_id": own_id}, {"$set": {"preferences": dict(data)}}, session=tx.mongo
                )
            return response

        return await self.store.transact(work)
