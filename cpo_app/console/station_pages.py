"""What OCPP stations have uploaded."""

from __future__ import annotations

from fastapi import APIRouter, Response
from starlette.responses import StreamingResponse

from cpo_app.console.console import Console
from cpo_app.console.routes import NotThere
from cpo_app.console.words import segment
from domain.ocpp import files, transfers
from domain.ocpp.transfers import Kind
from domain.operators.actor import Role, current_actor


def add_station_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/station-files/{file_id}")
    async def station_file(file_id: str) -> Response:
        """Never as a page of ours: a station wrote it."""
        transfer = await transfers.of_file(db, file_id)
        file = await files.get(db, file_id)
        uploaded = transfer is not None and transfer["kind"] != Kind.FIRMWARE.value
        if file is None or not uploaded or not current_actor().may(Role.OPERATOR):
            raise NotThere("There is no such file.")
        return StreamingResponse(
            files.content_of(db, file),
            media_type="application/octet-stream",
            headers={
                "Content-Disposition": f"attachment; filename*=UTF-8''{segment(file['name'])}",
                "Content-Length": str(file["size"]),
                "Content-Security-Policy": "sandbox",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
            },
        )
