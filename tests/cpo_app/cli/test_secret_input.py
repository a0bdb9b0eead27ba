"""A secret comes by the environment, from standard input or from the person; it need not stand in
a command line."""

from __future__ import annotations

import io

import pytest

from cpo_app.cli.errors import CliError
from cpo_app.cli.secret_input import secret


def test_a_dash_reads_one_line_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("the token\nand more\n"))
    assert secret("-", "--token", "Token") == "the token"
    assert secret("given", "--token", "Token") == "given"


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
