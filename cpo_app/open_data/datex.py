"""DATEX II's publications of what charging locations there are, and of their status."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from starlette.requests import Request
from starlette.responses import Response

from cpo_app.http_errors import error_answer
from cpo_app.open_data.answers import FOR_ALL, document_answer
from cpo_app.settings import Settings
from db_interface.interface import DbInterface
from domain.datex.publisher import Publisher
from domain.open_data.datex_documents import DatexDocuments
from domain.open_data.kept_document import KeptDocument

Endpoint = Callable[[Request], Awaitable[Response]]
ROOT = "/datex/v3"
NOTHING = "no location is published: DATEX II has no table of none"


class DatexPages:
    def __init__(self, settings: Settings, store: DbInterface, *, look_every_s: float) -> None:
        self._documents = DatexDocuments(
            store,
            settings.open_data_owners,
            publisher_of(settings),
            max_bytes=settings.CPO_OPEN_DATA_MAX_MB * 1_000_000,
            look_every_s=look_every_s,
        )

    def routes(self) -> Iterator[tuple[str, Endpoint]]:
        for name, document in self._documents.named.items():
            yield f"{ROOT}/{name}", _whole(document, name)

    async def prepare(self) -> None:
        await self._documents.prepare()

    async def stop(self) -> None:
        await self._documents.stop()


def publisher_of(settings: Settings) -> Publisher:
    return Publisher(
        country=settings.COUNTRY_CODE.upper(),
        national_id=settings.CPO_OPEN_DATA_PUBLISHER
        or f"{settings.COUNTRY_CODE}-{settings.PARTY_ID}".upper(),
        language=settings.CPO_OPEN_DATA_LANGUAGE,
        operator=settings.PROJECT_NAME,
        service_type=settings.CPO_OPEN_DATA_SERVICE_TYPE,
    )


def _whole(document: KeptDocument, filename: str) -> Endpoint:
    async def whole(request: Request) -> Response:
        edition = await document.edition()
        if not edition.number:
            return error_answer(404, NOTHING, FOR_ALL)
        return document_answer(request, edition, filename)

    return whole
