"""The documents of OCPI objects, one of locations and one of tariffs in each version offered.

Where there are too many locations to be kept, nobody knows which tariffs they name: all that can be
paid on the spot are shown then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from db_interface.interface import DbInterface
from domain.open_data.edition import Rendering
from domain.open_data.kept_document import LOOK_EVERY_S, KeptDocument, TooLarge
from domain.open_data.ocpi_json import LOCATIONS, OBJECTS, ad_hoc_only, as_it_is
from domain.open_data.published import Published
from domain.versions import OcpiVersion

_TARIFFS_END_WITHIN_S = 60
"""So long one that has ended may stand yet."""


class OcpiDocuments:
    """`owners`: the folded keys of the parties whose objects are shown."""

    def __init__(
        self,
        store: DbInterface,
        owners: Sequence[str],
        version: OcpiVersion,
        *,
        max_bytes: int,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._db = store.db
        self.version = version

        def kept(module: str) -> KeptDocument:
            of_tariffs = module == "tariffs"
            return KeptDocument(
                store.db,
                Published(store, module, owners, version),
                OBJECTS if of_tariffs else LOCATIONS,
                self._tariffs if of_tariffs else _locations,
                max_bytes=max_bytes,
                look_every_s=look_every_s,
            )

        self.locations = kept("locations")
        self.tariffs = kept("tariffs")

    async def _tariffs(self) -> Rendering:
        try:
            named = (await self.locations.edition()).names
        except TooLarge:
            named = None
        minute = int(self._db.now().timestamp()) // _TARIFFS_END_WITHIN_S
        since = datetime.fromtimestamp(minute * _TARIFFS_END_WITHIN_S, timezone.utc)
        return Rendering(ad_hoc_only(named, since), (named, minute))

    async def prepare(self) -> None:
        """Have both made, if they never were."""
        await self.locations.prepare()
        await self.tariffs.prepare()

    async def stop(self) -> None:
        await self.tariffs.stop()
        await self.locations.stop()


async def _locations() -> Rendering:
    return Rendering(as_it_is)
