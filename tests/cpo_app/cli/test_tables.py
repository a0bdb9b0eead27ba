"""Tables fit the terminal: columns are spared, sentences wrapped; a pipe gets everything."""

from __future__ import annotations

import re
import sys
import uuid

import pytest
from rich.cells import cell_len

from cpo_app.cli.tables import PIPE_WIDTH, print_table

COLUMNS = ("ID", "Start", "Token", "EVSE", "kWh", "Why")
ROWS = [
    (
        str(uuid.UUID(int=number)),
        "2026-11-21 12:00",
        f"NL*TNM CARD-{number:08}",
        "CP-001",
        12.5,
        why,
    )
    for number, why in enumerate(("", "its charge point was not heard of for three days " * 2))
]


def shown(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    captured = capsys.readouterr()
    return re.sub(r"\x1b\[[0-9;]*m", "", captured.out), captured.err


@pytest.mark.parametrize("width", [80, 120])
def test_a_table_is_no_wider_than_the_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_table(COLUMNS, ROWS, spared=("Token", "EVSE", "Start"), wrapped=("Why",))
    out, err = shown(capsys)
    lines = out.splitlines()
    assert max(map(cell_len, lines)) <= width
    for row in ROWS:  # what names a row is never broken
        assert any(row[0] in line for line in lines)
    assert "for three" in out
    if width == 80:
        assert "Token" not in out and "CARD" not in out
        assert err == "not shown on 80 columns: Start, Token, EVSE (--json shows all)\n"
    else:
        assert "CARD-00000001" in out and "Token" not in err


def test_a_pipe_gets_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, ROWS, spared=("Token", "EVSE", "Start"), wrapped=("Why",))
    out, err = shown(capsys)
    assert all(name in out for name in COLUMNS) and err == ""
    assert max(map(cell_len, out.splitlines())) <= PIPE_WIDTH
