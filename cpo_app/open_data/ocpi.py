"""Published locations and ad-hoc tariffs as OCPI has them: whole, in pages, one by one.

All of it comes out of the kept documents: a page costs the store nothing, a single object but the
question where it stands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response

from cpo_app.open_data.answers import bytes_answer, document_answer
from cpo_app.paging import page_headers, page_parameters
from cpo_app.settings import Settings
from db_interface.interface import DbInterface
from domain.errors import InvalidParameters, NotFound
from domain.open_data.edition import Edition
from domain.open_data.kept_document import KeptDocument
from domain.open_data.ocpi_documents import OcpiDocuments
from domain.open_data.ocpi_json import MEDIA_TYPE, list_of, one_of
from domain.versions import VERSIONS
from domain.views.in_use import OF_OPEN_DATA

Endpoint = Callable[[Request], Awaitable[Response]]
_AHEAD = timedelta(seconds=5)
"""So far the clocks of processes may be apart, and more."""
_MILLISECOND = timedelta(milliseconds=1)


class OcpiPages:
    """The routes of all versions."""

    def __init__(
        self, settings: Settings, store: DbInterface, *, below: str, look_every_s: float
    ) -> None:
        self._settings = settings
        self._db = store.db
        self._below = f"{below}/ocpi"
        self._versions = [
            OcpiDocuments(
                store,
                settings.open_data_owners,
                VERSIONS[number],
                max_bytes=settings.CPO_OPEN_DATA_MAX_MB * 1_000_000,
                look_every_s=look_every_s,
            )
            for number in OF_OPEN_DATA
        ]

    def routes(self) -> Iterator[tuple[str, Endpoint]]:
        for one in self._versions:
            root = f"{self._below}/{one.version.number}"
            for module, document in (("locations", one.locations), ("tariffs", one.tariffs)):
                yield f"{root}/{module}.json", self._whole(document, f"{module}.json")
                yield f"{root}/{module}", self._page(document)
                yield f"{root}/{module}/{{object_id}}", self._one(document, module)

    async def prepare(self) -> None:
        for one in self._versions:
            await one.prepare()

    async def stop(self) -> None:
        for one in self._versions:
            await one.stop()

    def _whole(self, document: KeptDocument, filename: str) -> Endpoint:
        async def whole(request: Request) -> Response:
            return document_answer(request, await document.edition(), filename)

        return whole

    def _page(self, document: KeptDocument) -> Endpoint:
        settings = self._settings

        async def page(request: Request) -> Response:
            cap = settings.CPO_PAGE_LIMIT_MAX
            asked = page_parameters(request.query_params, settings.CPO_PAGE_LIMIT, cap)
            edition, as_of = await _read(document, asked.as_of, self._db.now())
            date_to = asked.date_to
            by_date = asked.date_from is not None or date_to is not None
            if by_date:
                # What changes meanwhile is the next pull's: its later pages show no more of it.
                until = as_of + _MILLISECOND
                date_to = until if date_to is None else min(date_to, until)
            found = await asyncio.to_thread(
                edition.select,
                asked.limit,
                offset=asked.offset,
                after=asked.after,
                date_from=asked.date_from,
                date_to=date_to,
            )
            total = found.total if asked.total is None else asked.total
            headers = page_headers(
                asked,
                url=settings.base_url + request.url.path,
                total=total,
                cap=cap,
                is_last=found.is_last,
                last_seq=found.last_place,
                as_of=as_of if by_date else None,
            )
            tag = _tag(*found.pieces, str(total).encode(), headers.get("Link", "").encode())
            body = list_of(found.pieces, self._db.now())
            return bytes_answer(request, body, tag, MEDIA_TYPE, headers)

        return page

    def _one(self, document: KeptDocument, module: str) -> Endpoint:
        async def one(request: Request) -> Response:
            found = await document.find(request.path_params["object_id"])
            if found is None:
                raise NotFound(f"{module}: there is none of that id")
            body = one_of(found, self._db.now())
            return bytes_answer(request, body, _tag(found), MEDIA_TYPE, {})

        return one


async def _read(
    document: KeptDocument, as_of: datetime | None, now: datetime
) -> tuple[Edition, datetime]:
    """The document, and as of when its pages by date are read: as the first page was."""
    if as_of is None:
        edition = await document.edition()
        return edition, document.complete_to
    if as_of > now + _AHEAD:
        raise InvalidParameters("cursor: not one that this server has handed out")
    return await document.edition_of(as_of), as_of


def _tag(*content: bytes) -> str:
    digest = blake2b(digest_size=12)
    for piece in content:
        digest.update(piece)
        digest.update(b"\x00")
    return digest.hexdigest()
