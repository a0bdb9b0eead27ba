"""Sessions (OCPI 2.2.1, mod_sessions): read by the parties that may see them; preferences taken."""

from __future__ import annotations

from collections.abc import Sequence

from crud.sender_module import SenderModule
from db_interface.transaction import Tx
from domain.objects import OcpiObject
from domain.sessions.charging_preferences import ACCEPTED, response_to
from domain.sessions.session_records import get, set_beside
from domain.visibility import Reader


class Sessions(SenderModule):
    module = "sessions"

    async def update(
        self,
        data: OcpiObject,
        session_id: str,
        *,
        reader: Reader | None = None,
        owners: Sequence[str] | None = None,
        **_: object,
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
            document = await get(tx, own_id)
            if document is None:
                return None
            response = response_to(data, document, tx.now)
            if response == ACCEPTED:
                await set_beside(tx, own_id, {"preferences": dict(data)})
            return response

        return await self.store.transact(work)
