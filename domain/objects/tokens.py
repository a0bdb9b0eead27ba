"""A Token as the store keeps it: known by its party, type and uid."""

from __future__ import annotations

from db_interface.owned_objects import OwnedObject, party_key
from domain.objects import OcpiObject
from domain.schemas import parse_datetime


def owned_token(token: OcpiObject, audience: str | None = None) -> OwnedObject:
    """A valid Token as the store keeps it; `audience` once its party has changed hands."""
    return OwnedObject(
        country_code=token["country_code"],
        party_id=token["party_id"],
        key_parts=(token["type"], token["uid"]),
        fields=token,
        last_updated=parse_datetime(token["last_updated"]),
        audience=audience or party_key(token["country_code"], token["party_id"]),
        links={"group": [token["group_id"]] if "group_id" in token else []},
    )
