"""HubClientInfo (OCPI 2.2.1, mod_hub_client_info, receiver): what a hub says of its clients."""

from __future__ import annotations

from db_interface.interface import DbInterface
from db_interface.owned_objects import fold
from domain.objects import OcpiObject
from domain.peers import client_switches
from domain.rendered import Rendered


class HubClientInfo:
    module = client_switches.MODULE

    def __init__(self, store: DbInterface) -> None:
        self.store = store

    async def get(
        self, _id: object, *, peer_id: str, country_code: str, party_id: str, **_: object
    ) -> Rendered | None:
        """What that peer has said of the party, or None."""
        document = await self.store.objects(self.module).document(
            fold(country_code, party_id, peer_id)
        )
        return None if document is None else Rendered(document["raw"])

    async def create(self, data: OcpiObject, *, peer_id: str, **_: object) -> str:
        """Keep a valid ClientInfo; "created", "updated" or "unchanged"."""
        return await client_switches.told(self.store, peer_id, data)
