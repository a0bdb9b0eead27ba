"""The credentials object: ours for a peer, a peer's as inner ones."""

from __future__ import annotations

from collections.abc import Sequence

from cpo_app.ocpi.peer_services.handshake import Discovered
from cpo_app.settings import Party, Settings
from db_interface.json_data import JsonMapping, JsonObject
from domain.peers.hub_credentials import parted
from domain.schemas import validate
from domain.versions import (
    Context,
    ObjectKind,
    OcpiVersion,
)
from domain.versions import Party as NamedParty


def own_credentials(settings: Settings, token: str, form: OcpiVersion) -> JsonObject:
    """Our credentials object with a token for the other side (credentials 7.3.1); the platform's
    own party speaks for all where a version has only one."""
    inner = {
        "token": token,
        "url": settings.versions_url,
        "roles": [_role(party) for party in settings.parties],
    }
    own = settings.parties[0]
    context = Context(party=NamedParty(own.country_code, own.party_id))
    return form.render(ObjectKind.CREDENTIALS, inner, context).object


def _role(party: Party) -> JsonObject:
    return {
        "role": "CPO",
        "business_details": {"name": party.name},
        "party_id": party.party_id,
        "country_code": party.country_code,
    }


def read_credentials(form: OcpiVersion, given: object) -> JsonObject:
    """A peer's credentials as inner ones: its own roles, and a hub's `clients` apart."""
    inner = form.read(ObjectKind.CREDENTIALS, given).object
    said = validate(form.models[ObjectKind.CREDENTIALS], given)
    roles, clients = parted(inner["roles"], said.get("hub_party_id"))
    return {**inner, "roles": roles, "clients": clients}


def facts_of(found: Discovered, credentials: JsonMapping) -> JsonObject:
    """What `Peers.connect` keeps of a handshake."""
    return {
        "versions_url": credentials["url"],
        "version": found.version.number,
        "version_url": found.version_url,
        "endpoints": found.stored(),
        "roles": list(credentials["roles"]),
        "clients": credentials.get("clients"),
    }


def name_of(roles: Sequence[JsonMapping]) -> str:
    name: str = roles[0]["business_details"]["name"]
    return name
