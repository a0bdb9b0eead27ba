"""Arrows point one way: cpo_app to crud and auth, those to domain, that to db_interface."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
ROOMS = ("ocpi", "central", "registry", "charge_point", "console", "conformance", "demo_emsp")
SHARED = ("settings", "docs_page", "operator_guard", "http_errors", "bounded_body")
"""Modules of cpo_app that any room may use: they know no room."""


def imports_of(folder: str) -> Iterator[tuple[str, str]]:
    """(file, imported module) for every import in a folder."""
    for file in sorted((REPOSITORY / folder).rglob("*.py")):
        name = str(file.relative_to(REPOSITORY))
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                yield name, node.module
            elif isinstance(node, ast.Import):
                yield from ((name, alias.name) for alias in node.names)


def importing(folder: str, *forbidden: str) -> list[tuple[str, str]]:
    return [
        (file, module)
        for file, module in imports_of(folder)
        if any(module == name or module.startswith(name + ".") for name in forbidden)
    ]


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("db_interface", ("cpo_app", "crud", "auth", "domain", "py_ocpi", "fastapi", "starlette")),
        ("domain", ("cpo_app", "crud", "auth", "fastapi", "starlette", "httpx", "uvicorn")),
        ("crud", ("cpo_app", "auth", "fastapi", "starlette", "httpx", "uvicorn")),
        ("auth", ("cpo_app", "crud", "fastapi", "starlette", "httpx", "uvicorn")),
    ],
)
def test_arrows_point_one_way(folder: str, forbidden: tuple[str, ...]) -> None:
    assert importing(folder, *forbidden) == []


def test_the_driver_is_imported_in_one_room() -> None:
    driver = ("motor", "pymongo", "bson")
    for folder in ("cpo_app", "crud", "auth", "domain"):
        assert importing(folder, *driver) == []


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_meet_in_the_store_and_not_in_each_other(room: str) -> None:
    others = tuple(f"cpo_app.{other}" for other in ROOMS if other != room)
    assert importing(f"cpo_app/{room}", *others) == []
    own = [
        (file, module)
        for file, module in imports_of(f"cpo_app/{room}")
        if module.startswith("cpo_app.") and module.split(".")[1] not in (room, *SHARED)
    ]
    assert own == []
