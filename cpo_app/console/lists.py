"""A list as a page and as CSV: both of the same question, which stands in the address.

So a link shows a colleague the same. What the address does not know, or what cannot be, is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from cpo_app.console.console import Console
from cpo_app.console.doing import said
from cpo_app.console.zones import IN_ADDRESS
from cpo_app.operator_guard import demand
from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from domain.listing.filters import Filter, Kind
from domain.listing.listing import SORT, Asked, D, Listing, Number
from domain.listing.spreadsheet import heading, lines
from domain.operators.actor import Role
from domain.paging import Page

PAGE = 100
_BESIDE = ("cursor", "done", IN_ADDRESS)
"""What an address holds besides filters."""

More = Callable[[Asked], Awaitable[JsonObject]]
"""What else a page shows than its list."""


@dataclass(frozen=True)
class ListView:
    """A page of a list, and the addresses around it; for templates."""

    path: str
    filters: Sequence[Filter]
    asked: Asked
    page: Page[JsonObject]
    number: Number | None
    is_first: bool
    zone: str
    """Whose time is meant in its filters."""
    zone_in_address: str
    """That one, where not everybody has the same; else empty"""

    @property
    def rows(self) -> list[JsonObject]:
        return self.page.rows

    @property
    def given(self) -> JsonMapping:
        return self.asked.given

    @property
    def narrowed(self) -> bool:
        return bool(self.asked.values)

    @property
    def sort(self) -> str:
        return self.asked.order.name

    @property
    def csv(self) -> str:
        return self.beside(".csv")

    def beside(self, ending: str) -> str:
        """The same question's answer in another form."""
        return self._address(f"{self.path}{ending}", {})

    @property
    def first(self) -> str:
        return self.url()

    @property
    def following(self) -> str | None:
        return self.page.following and self.url(cursor=self.page.following)

    @property
    def preceding(self) -> str | None:
        return self.page.preceding and self.url(cursor=self.page.preceding)

    def url(self, **changes: str | None) -> str:
        """Of the same list with other words: None takes one away."""
        return self._address(self.path, changes)

    def _address(self, path: str, changes: JsonMapping) -> str:
        timed = any(
            one.kind is Kind.MOMENT and one.name in self.asked.values for one in self.filters
        )
        zone = self.zone_in_address if timed else None
        words = {**self.given, IN_ADDRESS: zone or None, **changes}
        query = urlencode({name: word for name, word in words.items() if word is not None})
        return f"{path}?{query}" if query else path


async def view_of(console: Console, request: Request, listing: Listing[D], path: str) -> ListView:
    """What the address asks for. Raises BadFilter, BadCursor."""
    cursor = request.query_params.get("cursor")
    asked = asked_of(console, request, listing)
    page, number = await asyncio.gather(
        listing.page(console.db, asked, limit=PAGE, cursor=cursor),
        listing.number(console.db, asked),
    )
    return ListView(
        path,
        listing.filters,
        asked,
        page,
        number,
        is_first=cursor is None,
        zone=console.zones.of_list(request).key,
        zone_in_address=console.zones.to_be_named(request),
    )


def add_list(
    router: APIRouter,
    console: Console,
    path: str,
    template: str,
    listing: Listing[D],
    *,
    needs: Role = Role.VIEWER,
    more: More | None = None,
) -> None:
    """The list at `path`, and all that is found of it at `path`.csv."""

    @router.get(path)
    async def page(request: Request) -> Response:
        demand(needs)
        view = await view_of(console, request, listing, path)
        others = {} if more is None else await more(view.asked)
        done = said(request.query_params.get("done"))
        return console.page(request, template, list=view, done=done, **others)

    add_csv(router, console, path, listing, needs=needs)


def add_csv(
    router: APIRouter,
    console: Console,
    path: str,
    listing: Listing[D],
    *,
    needs: Role = Role.VIEWER,
) -> None:
    @router.get(f"{path}.csv")
    async def spreadsheet(request: Request) -> Response:
        demand(needs)
        asked = asked_of(console, request, listing)
        return StreamingResponse(
            _csv(console.db, listing, asked),
            media_type="text/csv",
            headers={
                "Content-Disposition": f'attachment; filename="{listing.name}.csv"',
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
            },
        )


def asked_of(console: Console, request: Request, listing: Listing[D]) -> Asked:
    """What the words of the address ask of the list. Raises BadFilter."""
    # A form sends the fields that nobody has filled in, too.
    words = {
        name: word.strip()
        for name, word in request.query_params.items()
        if name not in _BESIDE and (word.strip() or name not in _names(listing))
    }
    return listing.asked(words, zone=console.zones.of_list(request))


def _names(listing: Listing[D]) -> set[str]:
    return {SORT, *(one.name for one in listing.filters)}


async def _csv(db: Database, listing: Listing[D], asked: Asked) -> AsyncIterator[str]:
    yield heading(list(listing.columns))
    async for rows in listing.everything(db, asked):
        yield lines(listing.columns, rows)
