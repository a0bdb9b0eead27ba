"""What has changed in the store, told to the pages that show it: one watch per process, however
many pages are open, and none where nobody looks.

A page names what it shows as topics: a collection ("charge_points"), or a document of it
("charge_points:CP-001"). It hears that something of it has changed, never what.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from urllib.parse import unquote

from db_interface.watching import NoChangeStream
from domain.operator.topics import TOPICS

logger = logging.getLogger("cpo.console")

MAX_LISTENERS = 300
MAX_LISTENERS_OF_ONE = 12
"""Pages that one person has open and can see; more ask again from time to time, instead."""
MAX_TOPICS = 24

Changes = AsyncGenerator[set[tuple[str, str]] | None, None]


class TooMany(Exception):
    """As many pages listen as may, in all or of this person."""


class NotWatched(Exception):
    """There is no such topic, or this store cannot be watched; the message says which."""


class Listener:
    """A page that is open."""

    def __init__(
        self, who: str, collections: frozenset[str], documents: frozenset[tuple[str, str]]
    ) -> None:
        self.who = who
        self.whole = collections
        self.documents = documents
        self.news = asyncio.Event()
        """To be waited for."""
        self.over = False
        """Nothing more will come."""
        self._has_news = False

    def tell(self) -> None:
        self._has_news = True
        self.news.set()

    def taken(self) -> bool:
        """Whether the page should look again; from now on for what comes next."""
        told, self._has_news = self._has_news, False
        self.news.clear()
        return told

    @property
    def collections(self) -> frozenset[str]:
        return self.whole | {collection for collection, _ in self.documents}

    def is_met_by(self, changes: set[tuple[str, str]]) -> bool:
        return not self.documents.isdisjoint(changes) or any(
            collection in self.whole for collection, _ in changes
        )


class News:
    """One per process. `changed`: db_interface.watching.changed of its store."""

    def __init__(self, changed: Callable[[Collection[str]], Changes]) -> None:
        self._changed = changed
        self._listeners: set[Listener] = set()
        self._of_one: Counter[str] = Counter()
        self._watched: frozenset[str] = frozenset()
        self._is_open = False
        self._watching: asyncio.Task[None] | None = None
        self._impossible = False

    def listener(self, who: str, shows: str) -> Listener:
        """To be listened with; `shows` are topics parted by spaces. Raises TooMany, NotWatched."""
        if self._impossible:
            raise NotWatched("this store has no change streams")
        if len(self._listeners) >= MAX_LISTENERS or self._of_one[who] >= MAX_LISTENERS_OF_ONE:
            raise TooMany
        return _listener(who, shows)

    @contextlib.contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """For as long as the block lasts."""
        self._listeners.add(listener)
        self._of_one[listener.who] += 1
        try:
            if not listener.collections <= self._watched:
                self._watch(self._watched | listener.collections)
            elif self._is_open:
                # What has happened since the page was made.
                listener.tell()
            yield
        finally:
            self._listeners.discard(listener)
            self._of_one -= Counter([listener.who])
            if not self._listeners:
                self._stop()

    def _watch(self, collections: frozenset[str]) -> None:
        self._stop()
        self._watched = collections
        self._watching = asyncio.create_task(self._follow(collections))

    def _stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        self._watching, self._watched, self._is_open = None, frozenset(), False

    async def _follow(self, collections: frozenset[str]) -> None:
        try:
            async with contextlib.aclosing(self._changed(collections)) as news:
                async for changes in news:
                    self._is_open = True
                    for listener in self._listeners:
                        if changes is None or listener.is_met_by(changes):
                            listener.tell()
        except NoChangeStream:
            logger.warning("no change streams: pages of the console ask again instead")
            self._impossible = True
            self._tell_the_end()
        except Exception:
            logger.exception("the watch for the console's pages broke off")
            self._tell_the_end()

    def _tell_the_end(self) -> None:
        for listener in self._listeners:
            listener.over = True
            listener.tell()


def _listener(who: str, shows: str) -> Listener:
    topics = shows.split()
    if not 0 < len(topics) <= MAX_TOPICS:
        raise NotWatched(f"from 1 to {MAX_TOPICS} topics can be named")
    whole, documents = set(), set()
    for topic in topics:
        collection, _, document = topic.partition(":")
        if collection not in TOPICS:
            raise NotWatched("there is no such topic")
        if document:
            documents.add((collection, unquote(document)))
        else:
            whole.add(collection)
    return Listener(who, frozenset(whole), frozenset(documents))
