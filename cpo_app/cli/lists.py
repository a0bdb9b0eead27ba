"""The filters of the operator's lists as options of a command: those of the console and the API, by
the same names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.errors import CliError
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonMapping, JsonObject
from domain.listing.filters import BadFilter, Filter
from domain.listing.listing import SORT, Asked, D, Listing

_AT_ONCE = 500
_PREFIX = "filter_"
Command = Callable[..., None]


def with_filters(listing: Listing[D]) -> Callable[[Command], Command]:
    """A command that takes `given`: what was said of each filter, by its name."""

    def wrap(command: Command) -> Command:
        own = inspect.signature(command, eval_str=True)
        options = [*map(_option, listing.filters), _sorting(listing)]

        def run(**values: object) -> None:
            given = {
                one.name.removeprefix(_PREFIX): word
                for one in options
                if (word := values.pop(one.name)) is not None
            }
            command(**values, given=given)

        first = [one for one in own.parameters.values() if one.name != "given"]
        parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in first] + options
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        run.__doc__, run.__name__ = command.__doc__, command.__name__
        return run

    return wrap


def rows_of(
    listing: Listing[D],
    path: str,
    given: Mapping[str, str],
    limit: int | None,
    data_dir: Path | None,
) -> list[JsonObject]:
    """The first of the list (None: all of it), at `path` of the API where a server is named.
    Raises CliError."""
    if remote.server() is not None:
        return remote.rows(path, limit or _ALL, **given)
    asked = asked_of(listing, given)

    async def work(backend: Backend) -> list[JsonObject]:
        rows: list[JsonObject] = []
        cursor: str | None = None
        while limit is None or len(rows) < limit:
            wanted = _AT_ONCE if limit is None else min(_AT_ONCE, limit - len(rows))
            page = await listing.page(backend.db, asked, limit=wanted, cursor=cursor)
            rows += page.rows
            cursor = page.following
            if cursor is None:
                break
        return rows

    return on_backend(work, data_dir)


def documents_of(
    listing: Listing[D],
    given: Mapping[str, str],
    limit: int,
    data_dir: Path | None,
    fields: JsonMapping,
) -> list[JsonObject]:
    """What its first rows are made of. Raises CliError."""
    asked = asked_of(listing, given)

    async def work(backend: Backend) -> list[JsonObject]:
        page = await listing.documents(backend.db, asked, limit=limit, fields=fields)
        return [dict(one) for one in page.rows]

    return on_backend(work, data_dir)


def asked_of(listing: Listing[D], given: Mapping[str, str]) -> Asked:
    try:
        return listing.asked(given)
    except BadFilter as error:
        raise CliError(f"--{str(error).replace('_', '-', 1)}") from None


_ALL = 1_000_000_000


def _option(one: Filter) -> inspect.Parameter:
    words = f" One of {', '.join(one.choices)}." if one.choices else ""
    return _parameter(one.name, one.meaning + words)


def _sorting(listing: Listing[D]) -> inspect.Parameter:
    said = "; ".join(f"{order.name}: {order.said}" for order in listing.orders)
    return _parameter(SORT, said)


def _parameter(name: str, said: str) -> inspect.Parameter:
    flag = f"--{name.replace('_', '-')}"
    return inspect.Parameter(
        f"{_PREFIX}{name}",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[str | None, typer.Option(flag, help=said, show_default=False)],
    )
