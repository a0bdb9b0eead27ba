"""The console's page of any OCPI object as peers get it."""

import orjson
from fastapi import APIRouter, Query, Request, Response

from cpo_app.console import ocpi_objects
from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from cpo_app.console.routes import NotThere


def add_location_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/objects/{module}")
    async def ocpi_object(
        request: Request, module: str, key: str = Query(..., max_length=200), done: Done = None
    ) -> Response:
        text = None
        if module in ocpi_objects.MODULES:
            text = await ocpi_objects.object_text(db, module, key)
        if text is None:
            raise NotThere("There is no such object.")
        fields = orjson.loads(text)
        return console.page(
            request,
            "object.html",
            module=module,
            key=key,
            text=text,
            groups=await ocpi_objects.groups_of(db, key) if module == "locations" else [],
            tariffs=await ocpi_objects.tariffs_of(db, key) if module == "locations" else None,
            done=said(done),
            id=fields["id"],
            owner=f"{fields['country_code']}/{fields['party_id']}",
        )
