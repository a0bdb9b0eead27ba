"""The command line as a whole: every command is found, and only what is asked for is loaded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
from typer.main import get_command

from cpo_app.cli import up
from cpo_app.cli.app import Commands, app
from cpo_app.cli.commands import help_of
from tests.settings_of import settings_of

CPO = get_command(app)


@pytest.mark.parametrize("name", Commands.where)
def test_each_command_is_there_and_says_what_it_is_for(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        CPO.main([name, "--help"], prog_name="cpo")
    assert ended.value.code == 0
    assert f"Usage: cpo {name} " in capsys.readouterr().out


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with what it is called by, also those of groups in groups."""
    for name in group.list_commands(None):
        found = group.get_command(None, name)
        if hasattr(found, "list_commands"):
            yield from commands(found, (*path, name))
        else:
            yield (*path, name), found


def test_each_list_is_a_table_and_json_when_asked() -> None:
    lists = {path: one for path, one in commands(CPO) if path[-1] in ("list", "trouble")}
    assert {("sessions", "list"), ("charge-points", "list"), ("peers", "list")} <= set(lists)
    without = [
        " ".join(path)
        for path, one in lists.items()
        if not any("--json" in option.opts for option in one.params)
    ]
    assert without == []


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        CPO.main(["--version"], prog_name="cpo")
    assert ended.value.code == 0
    assert capsys.readouterr().out.split() == ["cpo", version("ocpi-cpo-backend")]


@pytest.mark.parametrize("demo", [False, True])
def test_cpo_up_gives_its_parts_arguments_that_their_commands_take(
    demo: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of()
    monkeypatch.setenv("CPO_EMSP_TOKEN", "given at each start")
    parts = up._after_the_servers(settings, 2, demo)
    assert [part.name for part in parts][:1] == ["charge points"]
    for part in parts:
        name, *arguments = part.arguments
        command = CPO.get_command(None, name)  # type: ignore[attr-defined]
        command.make_context(name, arguments)


@pytest.mark.parametrize("name", Commands.where)
def test_a_list_of_commands_says_of_each_what_it_says_itself(name: str) -> None:
    assert help_of(Commands.where[name]) == CPO.get_command(None, name).help  # type: ignore[attr-defined]


def test_a_list_of_commands_loads_none_of_them() -> None:
    asked = """
import contextlib, io, sys
from cpo_app.cli.app import app
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()) as said:
    app(["--help"], prog_name="cpo")
assert "Usage: cpo" in said.getvalue()
print({"py_ocpi", "pymongo", "fastapi", "pydantic", "domain"} & {*sys.modules})
"""
    answer = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout.strip() == "set()"
