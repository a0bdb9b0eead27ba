"""Published locations and ad-hoc tariffs as OCPI has them: whole, in pages, one by one.

All of it comes out of the kept documents: a page costs the store nothing, a single object but the
question where it stands. Where there are too many locations to be kept, there is no whole document,
and pages and single ones are read as a peer's are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from cpo_app.open_data.answers import bytes_answer, document_answer
from cpo_app.paging import PageParameters, page_headers, page_parameters
from cpo_app.settings import Settings
from crud.locations import Locations
from db_interface.interface import DbInterface
from domain.errors import InvalidParameters, NotFound
from domain.open_data.edition import Edition
from domain.open_data.kept_document import KeptDocument, TooLarge
from domain.open_data.ocpi_documents import OcpiDocuments
from domain.open_data.ocpi_json import MEDIA_TYPE, list_of, one_of
from domain.versions import VERSIONS, OcpiVersion
from domain.views.in_use import OF_OPEN_DATA
from domain.visibility import Reader

Endpoint = Callable[[Request], Awaitable[Response]]
_AHEAD = timedelta(seconds=5)
"""So far the clocks of processes may be apart, and more."""
_MILLISECOND = timedelta(milliseconds=1)
_STRANGER = Reader(parties=(), narrowed=True)


class _Found(NamedTuple):
    """A page. `as_of`: with what its next ones are to be read; None: each is as of its own."""

    objects: Sequence[bytes]
    total: int
    last_place: int | None
    is_last: bool
    as_of: datetime | None


class OcpiPages:
    """The routes of all versions."""

    def __init__(
        self, settings: Settings, store: DbInterface, *, below: str, look_every_s: float
    ) -> None:
        self._settings = settings
        self._store = store
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
            stored = _Stored(self._store, self._settings.open_data_owners, one.version)
            for module, document, instead in (
                ("locations", one.locations, stored),
                ("tariffs", one.tariffs, None),
            ):
                yield f"{root}/{module}.json", self._whole(document, f"{module}.json")
                yield f"{root}/{module}", self._page(document, instead)
                yield f"{root}/{module}/{{object_id}}", self._one(document, module, instead)

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

    def _page(self, document: KeptDocument, instead: _Stored | None) -> Endpoint:
        settings = self._settings

        async def page(request: Request) -> Response:
            cap = settings.CPO_PAGE_LIMIT_MAX
            asked = page_parameters(request.query_params, settings.CPO_PAGE_LIMIT, cap)
            if asked.as_of is not None and asked.as_of > self._db.now() + _AHEAD:
                raise InvalidParameters("cursor: not one that this server has handed out")
            try:
                found = await _kept(document, asked)
            except TooLarge:
                if instead is None:
                    raise
                found = await instead.page(asked)
            headers = page_headers(
                asked,
                url=settings.base_url + request.url.path,
                total=found.total,
                cap=cap,
                is_last=found.is_last,
                last_seq=found.last_place,
                as_of=found.as_of,
            )
            tag = _tag(*found.objects, str(found.total).encode(), headers.get("Link", "").encode())
            body = list_of(found.objects, self._db.now())
            return bytes_answer(request, body, tag, MEDIA_TYPE, headers)

        return page

    def _one(self, document: KeptDocument, module: str, instead: _Stored | None) -> Endpoint:
        async def one(request: Request) -> Response:
            object_id = request.path_params["object_id"]
            try:
                found = await document.find(object_id)
            except TooLarge:
                if instead is None:
                    raise
                found = await instead.one(object_id)
            if found is None:
                raise NotFound(f"{module}: there is none of that id")
            body = one_of(found, self._db.now())
            return bytes_answer(request, body, _tag(found), MEDIA_TYPE, {})

        return one


class _Stored:
    """Published locations as they are read for a peer that sees nothing else."""

    def __init__(self, store: DbInterface, owners: Sequence[str], version: OcpiVersion) -> None:
        self._locations = Locations(store)
        self._owners = owners
        self._version = version

    async def page(self, asked: PageParameters) -> _Found:
        found, total, is_last = await self._locations.list(
            asked.filters(), reader=_STRANGER, owners=self._owners, form=self._version
        )
        return _Found(found, total, found.last_seq, is_last, found.as_of)

    async def one(self, object_id: str) -> bytes | None:
        return await self._locations.get(
            object_id, reader=_STRANGER, owners=self._owners, form=self._version
        )


async def _kept(document: KeptDocument, asked: PageParameters) -> _Found:
    edition, as_of = await _read(document, asked.as_of)
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
    pieces, last_place = found.pieces, found.last_place
    return _Found(pieces, total, last_place, found.is_last, as_of if by_date else None)


async def _read(document: KeptDocument, as_of: datetime | None) -> tuple[Edition, datetime]:
    """The document, and as of when its pages by date are read: as the first page was."""
    if as_of is None:
        edition = await document.edition()
        return edition, document.complete_to
    return await document.edition_of(as_of), as_of


def _tag(*content: bytes) -> str:
    digest = blake2b(digest_size=12)
    for piece in content:
        digest.update(piece)
        digest.update(b"\x00")
    return digest.hexdigest()
