"""The documents of DATEX II: the table of published locations, and their status, in each form.

All say prices, so a tariff that has changed or ended makes them anew.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial

import orjson

from db_interface.interface import DbInterface
from domain.datex.forms import FORMS, Form
from domain.datex.publisher import Publisher
from domain.datex.rates import Tariffs
from domain.open_data.ad_hoc import is_payable
from domain.open_data.edition import Rendering, Shape
from domain.open_data.kept_document import LOOK_EVERY_S, KeptDocument
from domain.open_data.ocpi_json import OBJECTS
from domain.open_data.published import Published

logger = logging.getLogger("cpo.open_data")


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
        self._publisher = publisher
        self._known: tuple[str, Tariffs] = ("", Tariffs(()))
        keep = partial(KeptDocument, store.db, max_bytes=max_bytes, look_every_s=look_every_s)
        self._tariffs = keep(Published(store, "tariffs", owners), OBJECTS, self._payable)
        self.named: Mapping[str, KeptDocument] = {
            name: keep(
                Published(store, "locations", owners),
                Shape(
                    form.media_type,
                    begin=partial(form.begin, publisher),
                    end=partial(form.end, publisher),
                    between=form.between,
                ),
                partial(self._rendering, form),
            )
            for name, form in FORMS.items()
        }

    async def prepare(self) -> None:
        """Have all of them made that never were."""
        for document in self.named.values():
            await document.prepare()

    async def stop(self) -> None:
        for document in (*self.named.values(), self._tariffs):
            await document.stop()

    async def _rendering(self, form: Form) -> Rendering:
        tag, tariffs = await self._tariffs_now()
        return Rendering(partial(_or_none, form, tariffs, self._publisher), tag)

    async def _payable(self) -> Rendering:
        minute = self._db.now().replace(second=0, microsecond=0)
        return Rendering(
            lambda raw: raw if is_payable(orjson.loads(memoryview(raw)), minute) else None, minute
        )

    async def _tariffs_now(self) -> tuple[str, Tariffs]:
        edition = await self._tariffs.edition()
        if edition.tag != self._known[0]:
            read = orjson.loads(b"".join(edition.content()))
            self._known = edition.tag, Tariffs(read["data"])
        return self._known


def _or_none(form: Form, tariffs: Tariffs, publisher: Publisher, location: bytes) -> bytes | None:
    """One location that cannot be written must not keep back all others."""
    try:
        return form.part(location, tariffs, publisher)
    except Exception:
        logger.exception("left out of DATEX II: the location %s", _id_of(location))
        return None


def _id_of(location: bytes) -> object:
    return orjson.loads(memoryview(location)).get("id")
