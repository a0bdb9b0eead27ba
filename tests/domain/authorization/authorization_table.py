"""The table of docs/authorization.md, as tests read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).parents[3] / "docs" / "authorization.md"
ITS_WORD = "its word"


@dataclass(frozen=True)
class Row:
    """`cells`: what the driver gets by what the eMSP does (see `EMSP`)."""

    whitelist: str
    valid: bool
    settings: tuple[bool, ...]
    asked: bool
    cells: dict[str, str]


EMSP = ("allows", "refuses", "unknown", "silent")


def _rows() -> list[Row]:
    lines = DOCUMENT.read_text().splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("| whitelist | valid |"))
    rows = []
    for line in lines[head + 2 :]:
        if not line.startswith("|"):
            break
        whitelist, valid, setting, asked, *cells = (
            cell.strip() for cell in line.strip("|").split("|")
        )
        rows.append(
            Row(
                whitelist,
                valid == "true",
                (True, False) if setting == "any" else (setting == "true",),
                asked == "yes",
                dict(zip(EMSP, cells, strict=True)),
            )
        )
    return rows


ROWS = _rows()
