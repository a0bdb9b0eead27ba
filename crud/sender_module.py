"""Reading the objects that we own and send: the same for locations, tariffs, sessions, CDRs."""

from __future__ import annotations

from typing import Any

from db_interface.interface import DbInterface
from db_interface.pages import Page, PageQuery
from domain.objects import OcpiObject
from domain.rendered import Listing, Rendered
from domain.versions import INNER_VERSION, OcpiVersion
from domain.views.making import made_for, view_of
from domain.views.unsaid import said_in
from domain.visibility import Reader, audiences, required

_ANYBODY = Reader(parties=())


class SenderModule:
    """One module's reading side behind the library's Crud contract.

    Keywords that all methods take: `reader` (who asks), `owners` (folded keys of the parties of
    ours that are addressed; None for all), and `form`, the OCPI version that is asked for. A call
    without a reader sees what all may see.
    """

    module: str

    def __init__(self, store: DbInterface) -> None:
        self.store = store

    async def get(
        self,
        object_id: str,
        *,
        reader: Reader | None = None,
        owners: Any = None,
        form: OcpiVersion = INNER_VERSION,
        **_: object,
    ) -> Rendered | None:
        """The object with that id, whatever its case, or None where the reader sees none."""
        reader = reader or _ANYBODY
        view = view_of(form)
        found = await self.store.objects(self.module).read_shown(
            object_id,
            audiences(self.module, reader),
            owners,
            await said_in(self.store, self.module, view, required(self.module, reader)),
            view,
        )
        if found is None:
            return None
        raw: bytes | None = found.raw
        if found.unmade:
            (raw,) = await made_for(self.store.db, self.module, [found.raw], form)
        return None if raw is None else Rendered(raw)

    async def list(
        self,
        filters: OcpiObject,
        *,
        reader: Reader | None = None,
        owners: Any = None,
        form: OcpiVersion = INNER_VERSION,
        **_: object,
    ) -> tuple[Listing, int, bool]:
        """A page, the number of all matching objects, and whether it is the last page."""
        reader = reader or _ANYBODY
        view = view_of(form)
        page = await self.store.get_all(
            self.module,
            PageQuery(
                audiences=audiences(self.module, reader),
                required=await said_in(
                    self.store, self.module, view, required(self.module, reader)
                ),
                owners=owners,
                limit=filters["limit"],
                offset=filters.get("offset") or 0,
                after=filters.get("after"),
                date_from=filters.get("date_from"),
                date_to=filters.get("date_to"),
                as_of=filters.get("as_of"),
                total=filters.get("total"),
                view=view,
            ),
        )
        raws = page.raws
        if page.unmade:
            raws = await _made(self.store, self.module, page, form)
        return Listing(raws, page.last_seq, page.as_of), page.total, page.is_last


async def _made(store: DbInterface, module: str, page: Page, form: OcpiVersion) -> list[bytes]:
    """The page's objects where not all are kept in the version; none that cannot be said in it."""
    own = [page.raws[place] for place in page.unmade]
    made = await made_for(store.db, module, own, form)
    raws: list[bytes | None] = [*page.raws]
    for place, raw in zip(page.unmade, made, strict=True):
        raws[place] = raw
    return [raw for raw in raws if raw is not None]
