"""Pages hear of what they show: one watch for all of them, and none where nobody looks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Coroutine
from pathlib import Path
from typing import TypeVar

import pytest
from jinja2 import Environment, nodes

from cpo_app.console import news as news_module
from cpo_app.console.news import Changes, Listener, News, NotWatched, TooMany
from cpo_app.console.rendering import HERE
from db_interface.watching import NoChangeStream
from domain.operator.topics import TOPICS

T = TypeVar("T")


class Store:
    """What `changed` of a store does, as the test says."""

    def __init__(self) -> None:
        self.watches: list[frozenset[str]] = []
        self.open = 0
        self.has_change_streams = True
        self._queue: asyncio.Queue[set[tuple[str, str]] | None] = asyncio.Queue()

    async def changed(self, collections: Collection[str]) -> Changes:
        self.watches.append(frozenset(collections))
        if not self.has_change_streams:
            raise NoChangeStream
        self.open += 1
        try:
            yield None
            while True:
                yield await self._queue.get()
        finally:
            self.open -= 1

    async def say(self, *changes: tuple[str, str]) -> None:
        await self._queue.put(set(changes))
        await settled()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def hears(listener: Listener) -> bool:
    wakes, told = listener.news.is_set(), listener.taken()
    assert wakes == told
    return told


def run(work: Coroutine[object, object, T]) -> T:
    return asyncio.run(work)


def test_a_page_hears_of_what_it_shows_alone() -> None:
    async def story() -> None:
        store = Store()
        news = News(store.changed)
        one = news.listener("anna", "charge_points:CP%201 commands")
        table = news.listener("ben", "charge_points")
        with news.listening(one), news.listening(table):
            await settled()
            assert (hears(one), hears(table)) == (True, True)  # opened: look once

            await store.say(("charge_points", "CP 1"))
            assert (hears(one), hears(table)) == (True, True)
            await store.say(("charge_points", "CP-2"))
            assert (hears(one), hears(table)) == (False, True)
            await store.say(("commands", "any"))
            assert (hears(one), hears(table)) == (True, False)

    run(story())


def test_many_pages_are_one_watch_and_none_is_left_when_all_are_closed() -> None:
    async def story() -> None:
        store = Store()
        news = News(store.changed)
        with contextlib.ExitStack() as pages:
            first = news.listener("anna", "charge_points sessions")
            pages.enter_context(news.listening(first))
            await settled()
            for _ in range(5):
                another = news.listener("anna", "sessions")
                pages.enter_context(news.listening(another))
                # What has happened since it was made is not told any more: it looks once.
                assert hears(another)
            await settled()
            assert (store.watches, store.open) == ([{"charge_points", "sessions"}], 1)

            pages.enter_context(news.listening(news.listener("ben", "peers")))
            await settled()
            assert store.watches[1:] == [{"charge_points", "sessions", "peers"}]
            assert store.open == 1
        await settled()
        assert store.open == 0

    run(story())


def test_where_nothing_can_be_watched_pages_are_let_go() -> None:
    async def story() -> None:
        store = Store()
        store.has_change_streams = False
        news = News(store.changed)
        page = news.listener("anna", "peers")
        with news.listening(page):
            await settled()
            assert page.over
            assert hears(page)
        with pytest.raises(NotWatched):
            news.listener("anna", "peers")

    run(story())


def test_only_so_many_pages_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news_module, "MAX_LISTENERS", 3)
    monkeypatch.setattr(news_module, "MAX_LISTENERS_OF_ONE", 2)

    async def story() -> None:
        news = News(Store().changed)
        with contextlib.ExitStack() as pages:
            for _ in range(2):
                pages.enter_context(news.listening(news.listener("anna", "peers")))
            with pytest.raises(TooMany):
                news.listener("anna", "peers")
            with news.listening(news.listener("ben", "peers")), pytest.raises(TooMany):
                news.listener("chris", "peers")
            news.listener("chris", "peers")
        with news.listening(news.listener("anna", "peers")):
            pass

    run(story())


@pytest.mark.parametrize("shows", ["", "logins", "peers logins", "operators:x", "peers " * 25])
def test_what_is_no_topic_is_refused(shows: str) -> None:
    with pytest.raises(NotWatched):
        News(Store().changed).listener("anna", shows)


def test_templates_show_topics_that_there_are() -> None:
    env = Environment(autoescape=True)
    known = 0
    for path in sorted(Path(HERE / "templates").glob("*.html")):
        tree = env.parse(path.read_text())
        for block in tree.find_all(nodes.Block):
            if block.name != "shows":
                continue
            text = "".join(
                part.data if isinstance(part, nodes.TemplateData) else "locations"
                for output in block.find_all(nodes.Output)
                for part in output.nodes
            )
            topics = {topic.partition(":")[0] for topic in text.split()}
            assert topics <= TOPICS, path.name
            known += len(topics)
    assert known > 20
