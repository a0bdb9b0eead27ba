"""A document of all published objects of a module, kept in this process and made anew where
something has changed, when somebody asks for it. A server makes it once before that (`prepare`).

However many ask, the store is looked at once in LOOK_EVERY_S at most, and that costs what has
changed meanwhile. Where making it anew takes long (everything changes all the time) it pauses
longer: strangers get a share of this process, and no more. What is asked for while the store is
away is answered as it was, for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta, timezone
from functools import partial

from db_interface.database import STORE_ERRORS, Database
from domain.open_data.edition import Edition, Rendering, Shape, first_parts
from domain.open_data.parts import Part
from domain.open_data.published import Published

logger = logging.getLogger("cpo.open_data")

LOOK_EVERY_S = 1.0
PAUSE_FACTOR = 4.0
"""It pauses for so many times what it took: a fifth of a core at most."""
MAX_PAUSE_S = 20.0
TOO_LARGE_PAUSE_S = 600.0
"""What was too large is judged anew so often."""
_JUDGED_FROM = 2000
"""By so many objects it is told whether all of them can be kept."""
WAIT_S = 8.0
"""Who asks waits for the first edition so long."""
WAIT_FOR_NEWS_S = 1.0
"""And for a newer one that is just being made."""
GOOD_FOR = timedelta(seconds=60)
"""So old it may be when the store is away: the law gives a minute."""

_BEHIND_S = 0.2
_LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)


class NotReady(Exception):
    """It is being made for the first time, which takes longer than one waits."""


class TooLarge(Exception):
    """It would take more memory than it may."""


class KeptDocument:
    """`rendering` is asked each time before the store is looked at."""

    def __init__(
        self,
        db: Database,
        published: Published,
        shape: Shape,
        rendering: Callable[[], Awaitable[Rendering]],
        *,
        max_bytes: int,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._db = db
        self._published = published
        self._shape = shape
        self._rendering = rendering
        self._max_bytes = max_bytes
        self._look_every_s = look_every_s
        self._edition: Edition | None = None
        self._mark: datetime | None = None
        self._seen_at: datetime | None = None
        """By the database's clock: then it was as it is kept."""
        self._looking: asyncio.Task[None] | None = None
        self._asked = asyncio.Event()
        """Somebody has asked for it, and perhaps waits."""
        self._look_after = 0.0
        self._is_too_large = False
        """And it was said."""

    async def edition(self) -> Edition:
        """The present one. Raises NotReady; TooLarge, at once where that is known; the store's
        errors once it is too old."""
        self._asked.set()
        looking = self._look_unless_done()
        if self._is_too_large:
            raise TooLarge(self._why_too_large)
        if looking is not None:
            patience_s = WAIT_S if self._edition is None else WAIT_FOR_NEWS_S
            await asyncio.wait((looking,), timeout=patience_s)
            if looking.done() and not looking.cancelled():
                self._judge(looking.exception())
        if self._edition is None:
            raise NotReady("it is being made")
        return self._edition

    async def prepare(self) -> None:
        """Have it made, if it never was: with pauses, a fifth of a core at most, as long as nobody
        asks for it. Raises the store's errors."""
        if self._edition is not None or self._is_too_large:
            return
        looking = self._look_unless_done()
        if looking is not None:
            await asyncio.wait((looking,))
            error = None if looking.cancelled() else looking.exception()
            if error is not None and not isinstance(error, TooLarge):
                raise error

    def _look_unless_done(self) -> asyncio.Task[None] | None:
        """The look that is under way; None: the last one holds yet."""
        loop = asyncio.get_running_loop()
        if self._looking is None and loop.time() >= self._look_after:
            self._looking = loop.create_task(self._look())
            self._looking.add_done_callback(self._looked)
        return self._looking

    def _looked(self, looking: asyncio.Task[None]) -> None:
        self._looking = None
        if not looking.cancelled():
            looking.exception()  # told to whoever waited

    def _judge(self, error: BaseException | None) -> None:
        if error is None:
            return
        old = self._seen_at is None or self._db.now() - self._seen_at > GOOD_FOR
        if old or not isinstance(error, STORE_ERRORS):
            raise error

    @property
    def complete_to(self) -> datetime:
        """Nothing that was stamped up to then is missing in the present edition."""
        return self._mark or _LONG_AGO

    async def edition_of(self, moment: datetime) -> Edition:
        """One in which nothing is missing that was stamped up to then: another process may have
        one already. Raises NotReady where this one is behind for long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + WAIT_S
        edition = await self.edition()
        while self.complete_to < moment:
            if loop.time() > until:
                raise NotReady("this process is behind")
            await asyncio.sleep(_BEHIND_S)
            edition = await self.edition()
        return edition

    async def find(self, object_id: str) -> bytes | None:
        """The object of that id as it stands in the present edition."""
        edition = await self.edition()
        for place in await self._published.places_of(object_id):
            found = edition.at(place)
            if found is not None:
                return found
        return None

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await self._see()
        finally:
            took = loop.time() - began
            pause = min(MAX_PAUSE_S, max(self._look_every_s, PAUSE_FACTOR * took))
            if self._is_too_large:
                pause = TOO_LARGE_PAUSE_S
            self._look_after = loop.time() + (pause if self._look_every_s else 0)

    async def _see(self) -> None:
        rendering = await self._rendering()
        edition, mark = self._edition, self._mark
        if edition is None or mark is None or edition.depends_on != rendering.depends_on:
            await self._make(rendering)
            return
        changes = await self._published.since(mark)
        if changes.rows or changes.gone:
            now = self._db.now()
            changed = partial(edition.changed, changes, rendering, now)
            self._keep(await asyncio.to_thread(_ready, changed), changes.mark)
        elif changes.total != edition.known:
            # An object was deleted: nothing is left of it that would tell.
            await self._make(rendering)
        else:
            self._keep(edition, changes.mark)

    async def _make(self, rendering: Rendering) -> None:
        mark = await self._published.mark()
        total = await self._published.number()
        parts: list[Part] = []
        size = known = 0
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with contextlib.aclosing(self._rendered(rendering)) as rendered:
            async for some in rendered:
                parts += some
                size += sum(len(part.packed.data) for part in some)
                known += sum(len(part.places) for part in some)
                self._check(size * total // known if known >= _JUDGED_FROM else size)
                await self._breathe(loop.time() - began)
                began = loop.time()
        edition = Edition(self._shape, parts, self._db.now(), rendering.depends_on)
        before = self._edition
        if before is not None and before.tag == edition.tag:
            edition = Edition(self._shape, parts, before.made_at, rendering.depends_on)
        self._keep(await asyncio.to_thread(edition.ready), mark)

    async def _breathe(self, took: float) -> None:
        """A pause for others, unless somebody waits."""
        if self._asked.is_set():
            return
        asked = asyncio.ensure_future(self._asked.wait())
        try:
            await asyncio.wait((asked,), timeout=PAUSE_FACTOR * took)
        finally:
            asked.cancel()

    async def _rendered(self, rendering: Rendering) -> AsyncGenerator[list[Part], None]:
        """Parts of all objects; while one is rendered the objects of the next are read."""
        under_way: asyncio.Task[list[Part]] | None = None
        try:
            async for rows in self._published.all():
                before, under_way = under_way, None
                if before is not None:
                    yield await before
                if rows:
                    making = asyncio.to_thread(first_parts, rows, rendering, self._shape)
                    under_way = asyncio.create_task(making)
            if under_way is not None:
                yield await under_way
        finally:
            if under_way is not None:
                under_way.cancel()

    def _keep(self, edition: Edition, mark: datetime) -> None:
        self._check(edition.kept_bytes)
        self._edition, self._mark = edition, mark
        self._is_too_large = False
        self._seen_at = self._db.now()

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            if not self._is_too_large:
                logger.warning("open data: a document is larger than CPO_OPEN_DATA_MAX_MB")
            self._is_too_large = True
            self._edition = self._mark = None
            raise TooLarge(self._why_too_large)

    @property
    def _why_too_large(self) -> str:
        return f"more than {self._max_bytes} bytes"

    async def stop(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._looking


def _ready(make: Callable[[], Edition]) -> Edition:
    return make().ready()
