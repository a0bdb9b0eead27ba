"""HubClientInfo (OCPI 2.2.1, mod_hub_client_info, receiver): what a hub says of its clients."""

from __future__ import annotations

from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject, fold, party_key
from domain.objects import OcpiObject
from domain.outbox.due_marks import party_is_back
from domain.rendered import Rendered
from domain.schemas import parse_datetime


class HubClientInfo:
    """Kept under the peer that sent it: two hubs may say different things of one party."""

    module = "hubclientinfo"

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
        outcome = await self.store.create(
            self.module,
            OwnedObject(
                country_code=data["country_code"],
                party_id=data["party_id"],
                key_parts=(peer_id,),
                fields=data,
                last_updated=parse_datetime(data["last_updated"]),
                audience=peer_id,
            ),
        )
        if data["status"] == "CONNECTED":
            party = party_key(data["country_code"], data["party_id"])
            await party_is_back(self.store.db, peer_id, party, self.store.db.now())
        return outcome


async def parties_not_online(store: DbInterface, peer_id: str) -> frozenset[str]:
    """The parties, folded, that no request reaches through this hub, by its own word."""
    found = await store.objects(HubClientInfo.module).documents(
        {"audience": peer_id, "fields.status": {"$ne": "CONNECTED"}}, fields={"owner": 1}
    )
    return frozenset(document["owner"] for document in found)
