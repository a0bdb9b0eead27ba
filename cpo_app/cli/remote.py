"""The server that `--server` (CPO_SERVER) names: actions are done there, over its API.

The key comes from CPO_API_KEY, or is asked for: never from the command line, where every user of
the host can read it.
"""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar
from typing import BinaryIO
from urllib.parse import quote, urlsplit

import httpx
import orjson
import typer

from cpo_app.actions.action import Action, P
from cpo_app.cli.errors import CliError
from db_interface.json_data import JsonObject

TIMEOUT_S = 70.0
SENT_WITHIN_S = 1800.0
"""For a file over a poor line."""
_PAGE = 1000
_HERE = ("127.0.0.1", "::1", "localhost")
_SERVER: ContextVar[str | None] = ContextVar("server", default=None)
_KEY: ContextVar[str | None] = ContextVar("key", default=None)


def choose(url: str | None) -> None:
    """What the command line, else the environment, says. Raises CliError."""
    if url:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CliError(f"--server {url}: is no address like https://cpo.example.org")
        if parts.scheme == "http" and parts.hostname not in _HERE:
            raise CliError(f"--server {url}: the key would travel in the clear; use https")
    _SERVER.set(url.rstrip("/") if url else None)


def server() -> str | None:
    return _SERVER.get()


def call(action: Action[P], parameters: P) -> JsonObject:
    """Do it there. Raises CliError where it is not done."""
    body: JsonObject = orjson.loads(parameters.json(by_alias=True, exclude_none=True))
    path = action.path
    for name in [name for name in body if f"{{{name}}}" in path]:
        path = path.replace(f"{{{name}}}", segment(str(body.pop(name))))
    done = _ask("POST", path, body)
    done.pop("said", None)
    return done


def read(path: str, **query: object) -> JsonObject:
    """What stands there, below /api/v1. Raises CliError."""
    return _ask("GET", path, None, {name: str(value) for name, value in query.items() if value})


def send(path: str, content: BinaryIO, **query: str) -> JsonObject:
    """Put what there is to read there. Raises CliError."""
    return _ask("PUT", path, None, query, content)


def segment(id_: str) -> str:
    """An id as a part of a path."""
    return quote(id_, safe="")


def rows(path: str, limit: int, **query: object) -> list[JsonObject]:
    """The first of a list there, page by page. Raises CliError."""
    found: list[JsonObject] = []
    following: object = None
    while len(found) < limit:
        wanted = min(_PAGE, limit - len(found))
        page = read(path, **query, limit=wanted, cursor=following)
        found += page["items"]
        following = page["next"]
        if following is None:
            break
    return found


def _ask(
    method: str,
    path: str,
    body: JsonObject | None,
    query: dict[str, str] | None = None,
    content: BinaryIO | None = None,
) -> JsonObject:
    url = f"{_SERVER.get()}/api/v1{path}"
    try:
        answer = httpx.request(
            method,
            url,
            json=body,
            content=content,
            params=query,
            headers={"Authorization": f"Bearer {_key()}"},
            timeout=TIMEOUT_S if content is None else SENT_WITHIN_S,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CliError(f"{_SERVER.get()} cannot be reached: {error}") from None
    try:
        found = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        raise CliError(f"{url} is not the API: HTTP {answer.status_code}") from None
    if not isinstance(found, dict):
        raise CliError(f"{url} is not the API: HTTP {answer.status_code}")
    if answer.status_code >= 400:
        raise CliError(str(found.get("detail") or f"HTTP {answer.status_code}"))
    return found


def _key() -> str:
    given = os.environ.get("CPO_API_KEY") or _KEY.get()
    if given:
        return given
    if not sys.stdin.isatty():
        raise CliError("CPO_API_KEY is not set (a key of cpo keys add), and nobody can be asked")
    asked: str = typer.prompt("API key", hide_input=True, err=True)
    _KEY.set(asked)
    return asked
