"""A secret comes by the environment, from standard input or from the person; it need not stand in
a command line."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path

import pytest

from cpo_app.cli import app, secret_input
from cpo_app.cli.errors import CliError
from cpo_app.cli.secret_input import secret
from tests.cpo_app.cli.conftest import Cpo


def test_a_dash_reads_one_line_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("the token\nand more\n"))
    assert secret("-", "--token", "Token") == "the token"
    assert secret("given", "--token", "Token") == "given"


COMMANDS = {
    "CPO_CHECK_TOKEN": ("check", "http://127.0.0.1:9/v"),
    "CPO_EMSP_TOKEN": ("emsp", "--versions-url", "http://127.0.0.1:9/v"),
    "CPO_HUB_TOKEN": ("hub", "--versions-url", "http://127.0.0.1:9/v"),
    "CPO_PEER_TOKEN": ("peers", "connect", "--versions-url", "http://127.0.0.1:9/v"),
}


@pytest.mark.parametrize("variable", COMMANDS)
def test_a_token_in_the_command_line_is_warned_of_and_nowhere_else(
    cpo: Cpo, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Whatever becomes of the command: nobody answers at that address."""
    script = cpo(*COMMANDS[variable], "--token", "SEKRET-0")
    assert script.code == 1 and "warning" not in script.err
    monkeypatch.setattr(secret_input, "at_a_terminal", lambda: True)
    for argument in (["--token", "SEKRET-1"], ["--token=SEKRET-1"]):
        shown = cpo(*COMMANDS[variable], *argument)
        assert "warning: every user of this host can read" in shown.err
        assert f"--token - reads it from standard input, {variable} gives it" in shown.err
        assert "SEKRET" not in shown.err + shown.out
    monkeypatch.setattr("sys.stdin", io.StringIO("SEKRET-2\n"))
    piped = cpo(*COMMANDS[variable], "--token", "-")
    monkeypatch.setenv(variable, "SEKRET-3")
    quiet = cpo(*COMMANDS[variable])
    assert piped.code == quiet.code == 1
    assert "warning" not in quiet.err + piped.err
    assert "SEKRET" not in quiet.err + piped.err


def test_no_other_option_takes_a_secret() -> None:
    """By the names of commands' parameters: those that are there go by `secret`."""
    found = {
        (file.stem, one.arg)
        for file in Path(app.__file__).parent.glob("*.py")
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, ast.FunctionDef)
        for one in function.args.args
        if re.search("token|secret|password|api_key", one.arg)
        and "typer.Option" in ast.unparse(one.annotation or ast.Constant(None))
        and not re.search("bool|Path", ast.unparse(one.annotation or ast.Constant(None)))
    }
    tokens = {(file, "token") for file in ("check", "emsp", "hub", "peers")}
    assert found == tokens | {("charge_points", "password")}


@pytest.mark.parametrize(("given", "why"), [(None, "is missing"), ("-", "holds none")])
def test_nobody_to_ask_and_nothing_given_is_said(
    monkeypatch: pytest.MonkeyPatch, given: str | None, why: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CliError, match=why):
        secret(given, "--token", "Token")


def test_a_person_is_asked_without_seeing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[tuple[str, bool]] = []

    def prompt(text: str, hide_input: bool = False) -> str:
        asked.append((text, hide_input))
        return "typed"

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("typer.prompt", prompt)
    assert secret(None, "--token", "Token A") == "typed"
    assert asked == [("Token A", True)]
