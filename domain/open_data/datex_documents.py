"""The documents of DATEX II: the table of published locations, and their status.

Both say prices, so a tariff that has changed or ended makes them anew.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

import orjson

from db_interface.interface import DbInterface
from domain.datex import afir_json, publications
from domain.datex.publisher import Publisher
from domain.datex.rates import AD_HOC, Tariffs
from domain.open_data.edition import Rendering, Shape
from domain.open_data.kept_document import LOOK_EVERY_S, KeptDocument
from domain.open_data.ocpi_json import OBJECTS
from domain.open_data.published import Published
from domain.times import parse_datetime

logger = logging.getLogger("cpo.open_data")

RenderingNow = Callable[[], Awaitable[Rendering]]
Part = Callable[[bytes, Tariffs], bytes | None]
_FOR_WHO_PAYS_ON_THE_SPOT = (AD_HOC, None)


class DatexDocuments:
    """`owners`: the folded keys of the parties whose objects are shown."""

    def __init__(
        self,
        store: DbInterface,
        owners: Sequence[str],
        publisher: Publisher,
        *,
        max_bytes: int,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._db = store.db
        self._known: tuple[str, Tariffs] = ("", Tariffs(()))

        def kept(module: str, shape: Shape, rendering: RenderingNow) -> KeptDocument:
            return KeptDocument(
                store.db,
                Published(store, module, owners),
                shape,
                rendering,
                max_bytes=max_bytes,
                look_every_s=look_every_s,
            )

        self._tariffs = kept("tariffs", OBJECTS, self._of_tariffs)
        self.table = kept(
            "locations",
            Shape(
                publications.MEDIA_TYPE,
                begin=partial(publications.table_begin, publisher),
                end=lambda _: publications.TABLE_END,
            ),
            partial(self._rendering, partial(publications.table_part, publisher=publisher)),
        )
        self.status = kept(
            "locations",
            Shape(
                publications.MEDIA_TYPE,
                begin=partial(publications.status_begin, publisher),
                end=lambda _: publications.STATUS_END,
            ),
            partial(self._rendering, publications.status_part),
        )
        self.table_json = kept(
            "locations",
            Shape(
                afir_json.MEDIA_TYPE,
                begin=partial(afir_json.table_begin, publisher),
                end=partial(afir_json.table_end, publisher),
                between=b",",
            ),
            partial(self._rendering, partial(afir_json.table_part, publisher=publisher)),
        )
        self.status_json = kept(
            "locations",
            Shape(
                afir_json.MEDIA_TYPE,
                begin=partial(afir_json.status_begin, publisher),
                end=partial(afir_json.status_end, publisher),
                between=b",",
            ),
            partial(self._rendering, afir_json.status_part),
        )

    async def stop(self) -> None:
        documents = (self.table, self.status, self.table_json, self.status_json, self._tariffs)
        for document in documents:
            await document.stop()

    async def _rendering(self, part: Part) -> Rendering:
        tag, tariffs = await self._tariffs_now()
        return Rendering(lambda location: _or_none(part, location, tariffs), tag)

    async def _of_tariffs(self) -> Rendering:
        minute = self._db.now().replace(second=0, microsecond=0)
        return Rendering(partial(_payable, minute), minute)

    async def _tariffs_now(self) -> tuple[str, Tariffs]:
        edition = await self._tariffs.edition()
        if edition.tag != self._known[0]:
            read = orjson.loads(b"".join(edition.content()))
            self._known = edition.tag, Tariffs(read["data"])
        return self._known


def _or_none(part: Part, location: bytes, tariffs: Tariffs) -> bytes | None:
    """One location that cannot be written must not keep back all others."""
    try:
        return part(location, tariffs)
    except Exception:
        logger.exception("left out of DATEX II: the location %s", _id_of(location))
        return None


def _id_of(location: bytes) -> object:
    return orjson.loads(memoryview(location)).get("id")


def _payable(since: datetime, raw: bytes) -> bytes | None:
    """A tariff for who pays on the spot that had not ended then."""
    tariff = orjson.loads(memoryview(raw))
    if tariff.get("type") not in _FOR_WHO_PAYS_ON_THE_SPOT:
        return None
    end = tariff.get("end_date_time")
    return None if end is not None and parse_datetime(end) < since else raw
