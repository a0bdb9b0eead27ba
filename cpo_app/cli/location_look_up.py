"""A location as commands name it: by its id, whatever the case, with its party where needed."""

from __future__ import annotations

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from db_interface.owned_objects import OwnedDocument
from domain.objects.finding import NotFoundById, find_object


async def location_found(
    backend: Backend, location_id: str, owner: tuple[str, str] | None
) -> OwnedDocument:
    """The document of a location; as nl/evc/loc1, its key, too. Raises CliError."""
    try:
        return await find_object(backend.store, "locations", location_id, owner)
    except NotFoundById as error:
        raise CliError(str(error)) from None
