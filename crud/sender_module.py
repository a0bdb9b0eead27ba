"""Reading the objects that we own and send: the same for locations, tariffs, sessions, CDRs."""

from __future__ import annotations

from typing import Any

from db_interface.interface import DbInterface
from db_interface.pages import PageQuery
from domain.objects import OcpiObject
from domain.rendered import Listing, Rendered
from domain.visibility import Reader, audiences, required

_ANYBODY = Reader(parties=())


class SenderModule:
    """One module's reading side behind the library's Crud contract.

    Keywords that all methods take: `reader` (who asks) and `owners` (folded keys of the parties
    of ours that are addressed; None for all). A call without a reader sees what all may see.
    """

    module: str

    def __init__(self, store: DbInterface) -> None:
        self.store = store

    async def get(
        self, object_id: str, *, reader: Reader | None = None, owners: Any = None, **_: object
    ) -> Rendered | None:
        """The object with that id, whatever its case, or None where the reader sees none."""
        reader = reader or _ANYBODY
        raw = await self.store.objects(self.module).read(
            object_id, audiences(self.module, reader), owners, required(self.module, reader)
        )
        return None if raw is None else Rendered(raw)

    async def list(
        self,
        filters: OcpiObject,
        *,
        reader: Reader | None = None,
        owners: Any = None,
        **_: object,
    ) -> tuple[Listing, int, bool]:
        """A page, the number of all matching objects, and whether it is the last page."""
        reader = reader or _ANYBODY
        page = await self.store.get_all(
            self.module,
            PageQuery(
                audiences=audiences(self.module, reader),
                required=required(self.module, reader),
                owners=owners,
                limit=filters["limit"],
                offset=filters.get("offset") or 0,
                after=filters.get("after"),
                date_from=filters.get("date_from"),
                date_to=filters.get("date_to"),
                as_of=filters.get("as_of"),
            ),
        )
        return Listing(page.raws, page.last_seq, page.as_of), page.total, page.is_last
