"""`/ocpp-files/{secret}/{name}`: PUT or POST of a station's log, GET of its firmware.

The secret is one transfer's address (domain/ocpp/transfers.py). Before it is known nothing is
read; what then comes is kept as it comes, part by part, up to a bound.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from cpo_app.bounded_body import bounded_receive
from cpo_app.front_door.kept_connections import wait_for_body
from cpo_app.http_errors import HttpError, error_answer
from db_interface.interface import DbInterface
from domain.ocpp import files, transfers
from domain.ocpp.files import FileTooLarge
from domain.ocpp.transfers import Kind, Transfer
from domain.operators.actor import Actor, ActorKind, acting_as

PATH = "/ocpp-files"
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def build_files_router(store: DbInterface, max_file_bytes: int) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    db = store.db

    async def of_secret(secret: str, *, upload: bool) -> Transfer | None:
        found = await transfers.by_token(db, secret, db.now())
        if found is None or (found["kind"] != Kind.FIRMWARE.value) is not upload:
            return None
        return found

    async def upload(request: Request, secret: str) -> Response:
        transfer = await of_secret(secret, upload=True)
        if transfer is None:
            return _unknown()
        wait_for_body(request.scope)
        name = transfer.get("name") or f"{transfer['station']}-{transfer['kind']}"
        try:
            receive = bounded_receive(request.scope, request.receive, max_file_bytes)
            content = Request(request.scope, receive).stream()
            file = await files.keep(db, name, content, max_file_bytes)
        except ClientDisconnect:
            return error_answer(400, "the upload broke off")
        except (FileTooLarge, HttpError):
            return error_answer(413, f"larger than {max_file_bytes} bytes")
        with acting_as(Actor(ActorKind.CHARGE_POINT, transfer["station"])):
            await store.transact(lambda tx: transfers.received(tx, transfer, file))
        return Response(status_code=201, headers=_HEADERS)

    async def download(request: Request, secret: str) -> Response:
        transfer = await of_secret(secret, upload=False)
        file_id = None if transfer is None else transfer.get("file")
        file = None if file_id is None else await files.get(db, file_id)
        if file is None:
            return _unknown()
        content: AsyncIterator[bytes] = files.content_of(db, file)
        headers = {**_HEADERS, "Content-Length": str(file["size"])}
        return StreamingResponse(content, headers=headers, media_type="application/octet-stream")

    for path in (f"{PATH}/{{secret}}", f"{PATH}/{{secret}}/{{name}}"):
        router.add_api_route(path, upload, methods=["PUT", "POST"])
        router.add_api_route(path, download, methods=["GET"])
    return router


def _unknown() -> Response:
    return error_answer(404, "no such address, or no longer")
