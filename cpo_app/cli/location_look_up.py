"""A location as commands name it: by its id, whatever the case, with its party where needed."""

from __future__ import annotations

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedDocument, party_key


async def location_found(
    backend: Backend, location_id: str, owner: tuple[str, str] | None
) -> OwnedDocument:
    """The document of a location; as nl/evc/loc1, its key, too. Raises CliError."""
    query: JsonObject = {"lid": location_id.lower()}
    if owner is not None:
        query["owner"] = party_key(*owner)
    locations = backend.store.objects("locations")
    rows = await locations.documents(query)
    if not rows and "/" in location_id:
        rows = await locations.documents({"_id": location_id.lower()})
    if not rows:
        raise CliError(f"there is no location {location_id}")
    if len(rows) > 1:
        raise CliError(f"several parties have a location {location_id}: name one with --party")
    return rows[0]
