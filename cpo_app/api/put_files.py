"""`PUT /files`: a file is put here for charge points to fetch, so that whoever updates their
firmware need not sit beside the store. It is kept as it comes, part by part, up to a bound.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from cpo_app.actions.action import Refused, check_role
from cpo_app.actions.house import House
from cpo_app.actions.ocpp_files import FIRMWARE
from cpo_app.api.examples import FILE
from cpo_app.api.routes import answered
from cpo_app.bounded_body import bounded_receive
from cpo_app.front_door.kept_connections import wait_for_body
from domain.ocpp import files
from domain.ocpp.files import FileTooLarge

_BODY = {
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
}


def add_files(router: APIRouter, house: House) -> None:
    """`router` must not read bodies itself."""

    @router.put(
        "/files",
        tags=["ocpp"],
        openapi_extra={"requestBody": _BODY, "x-role": FIRMWARE.needs.value},
        responses={
            200: {"description": "Kept", "content": {"application/json": {"example": FILE}}},
            403: {"description": "Not for this role"},
            413: {"description": "Larger than CPO_OCPP_MAX_FILE_MB"},
            422: {"description": "A parameter is wrong"},
        },
    )
    async def put_file(
        request: Request, name: Annotated[str, Query(min_length=1, max_length=200)]
    ) -> Response:
        """Put a file here for charge points to fetch, as the body; kept for 30 days."""
        await check_role(house, FIRMWARE)
        wait_for_body(request.scope)
        most = house.settings.max_ocpp_file_bytes
        too_large = Refused(413, f"larger than {most} bytes (CPO_OCPP_MAX_FILE_MB)")
        receive = bounded_receive(request.scope, request.receive, most, lambda _: too_large)
        try:
            content = Request(request.scope, receive).stream()
            file = await files.keep(house.store.db, name, content, most)
        except FileTooLarge:
            raise too_large from None
        told = {"file_id": file["_id"], "name": name, "size": file["size"]}
        return answered({**told, "sha256": file["sha256"]})
