"""Tables for people: as wide as the terminal, and no wider.

Where not everything fits, the columns that can be spared go first (and it is said which), then
texts are wrapped. Into a pipe nothing is left out.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from cpo_app.cli.output import note, plain_text

PIPE_WIDTH = 240
_GAP = 2
_MIN_WRAPPED = 24
"""A text that is wrapped gets at least so much."""


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    title: str = "",
    *,
    spared: Sequence[str] = (),
    wrapped: Collection[str] = (),
) -> None:
    """`spared`: columns that may be left out on a narrow terminal, the first of them first.
    `wrapped`: columns of sentences."""
    texts = [[plain_text(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        _print(Table(*columns, title=title or None), texts, Console(width=PIPE_WIDTH))
        return
    console = Console()
    shown, fits = columns_for(console.width, columns, texts, spared, wrapped)
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)
    table.show_edge, table.pad_edge, table.padding = False, False, (0, _GAP - 1, 0, 0)
    for name in shown:
        table.add_column(name, overflow="fold", no_wrap=fits and name not in wrapped)
    places = [columns.index(name) for name in shown]
    _print(table, [[row[place] for place in places] for row in texts], console)
    left_out = [name for name in columns if name not in shown]
    if left_out:
        note(f"not shown on {console.width} columns: {', '.join(left_out)} (--json shows all)")


def columns_for(
    width: int,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    spared: Sequence[str],
    wrapped: Collection[str],
) -> tuple[list[str], bool]:
    """The columns that are left, and whether they fit; where they do not, all are wrapped."""
    needs = {}
    for place, name in enumerate(columns):
        widest = max((cell_len(row[place]) for row in rows), default=0)
        if name in wrapped:
            widest = min(widest, _MIN_WRAPPED)
        needs[name] = max(widest, cell_len(name)) + _GAP
    shown, going = list(columns), list(spared)
    while not (fits := sum(needs[name] for name in shown) - _GAP <= width) and going:
        shown.remove(going.pop(0))
    return shown, fits


def _print(table: Table, rows: Iterable[Sequence[str]], console: Console) -> None:
    for row in rows:
        table.add_row(*row)
    console.print(table)
