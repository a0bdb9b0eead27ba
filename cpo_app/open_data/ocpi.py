"""Published locations and ad-hoc tariffs as OCPI has them, in the versions of PATHS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from starlette.requests import Request
from starlette.responses import Response

from cpo_app.open_data.answers import document_answer
from cpo_app.settings import Settings
from db_interface.interface import DbInterface
from domain.open_data.kept_document import KeptDocument
from domain.open_data.ocpi_documents import OcpiDocuments
from domain.versions import VERSIONS

NUMBERS = ("2.2.1", "2.3.0")
Endpoint = Callable[[Request], Awaitable[Response]]


class OcpiPages:
    """The routes of all versions."""

    def __init__(self, settings: Settings, store: DbInterface, *, look_every_s: float) -> None:
        self._versions = [
            OcpiDocuments(
                store,
                settings.open_data_owners,
                VERSIONS[number],
                max_bytes=settings.CPO_OPEN_DATA_MAX_MB * 1_000_000,
                look_every_s=look_every_s,
            )
            for number in NUMBERS
        ]

    def routes(self) -> Iterator[tuple[str, Endpoint]]:
        for one in self._versions:
            root = f"/ocpi/{one.version.number}"
            for module, document in (("locations", one.locations), ("tariffs", one.tariffs)):
                yield f"{root}/{module}.json", _whole(document, f"{module}.json")

    async def stop(self) -> None:
        for one in self._versions:
            await one.stop()


def _whole(document: KeptDocument, filename: str) -> Endpoint:
    async def whole(request: Request) -> Response:
        return document_answer(request, await document.edition(), filename)

    return whole
