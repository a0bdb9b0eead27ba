"""No switch lies: every setting and every quirk that can be set is read by the product."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from pydantic import BaseSettings

from cpo_app.charge_point.settings import EngineSettings, MonitorSettings
from cpo_app.settings import Settings
from domain.ocpp import quirks as ocpp_quirks
from domain.peers.peer import DEFAULT_QUIRKS

REPOSITORY = Path(__file__).parents[1]


@cache
def read_names() -> frozenset[str]:
    """Every attribute that some file of the product reads."""
    found: set[str] = set()
    for package in ("cpo_app", "crud", "domain", "auth", "db_interface"):
        for file in (REPOSITORY / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                    found.add(node.attr)
    return frozenset(found)


@cache
def looked_up() -> frozenset[str]:
    """The texts that are asked for by `quirks.get("...")` or `quirks["..."]`."""
    found: set[str] = set()
    for package in ("cpo_app", "auth", "domain"):
        for file in (REPOSITORY / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                match node:
                    case ast.Call(
                        func=ast.Attribute(value=ast.Attribute(attr="quirks"), attr="get"),
                        args=[ast.Constant(value=str(name)), *_],
                    ):
                        found.add(name)
    return frozenset(found)


@pytest.mark.parametrize("name", sorted(Settings.__fields__))
def test_every_setting_of_the_servers_is_read(name: str) -> None:
    assert name in read_names()


@pytest.mark.parametrize("model", [EngineSettings, MonitorSettings])
def test_every_setting_of_a_charge_point_is_read(model: type[BaseSettings]) -> None:
    assert set(model.__fields__) - read_names() == set()


@pytest.mark.parametrize("name", sorted(ocpp_quirks.QUIRKS))
def test_every_quirk_of_a_station_changes_something(name: str) -> None:
    (constant,) = (one for one, value in vars(ocpp_quirks).items() if value == name)
    readers = [
        file
        for file in (REPOSITORY / "cpo_app/ocpp").glob("*.py")
        if re.search(rf"\b{constant}\b", file.read_text())
    ]
    its_own = re.findall(rf"\b{constant}\)", (REPOSITORY / "domain/ocpp/quirks.py").read_text())
    assert readers or its_own


@pytest.mark.parametrize("name", sorted(DEFAULT_QUIRKS))
def test_every_quirk_changes_something(name: str) -> None:
    assert name in looked_up()
