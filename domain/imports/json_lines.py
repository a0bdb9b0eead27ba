"""On which line of a JSON text a field stands, for whoever has to mend it there. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

Path = tuple[str | int, ...]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def lines_of(text: str) -> dict[Path, int]:
    """The line (from 1) of every field and entry of a valid JSON text, by its path: where its name
    stands, or for an entry of a list where it begins."""
    found: dict[Path, int] = {(): 1}
    path: list[str | int] = []
    in_list: list[bool] = []
    name_next = False
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in "{[":
            if in_list and in_list[-1]:
                found[tuple(path)] = _line(text, match.start())
            in_list.append(token == "[")
            path.append(0 if token == "[" else "")
            name_next = token == "{"
        elif token in "}]":
            in_list.pop()
            path.pop()
        elif token == ",":
            last = path[-1]
            if isinstance(last, int):
                path[-1] = last + 1
            name_next = not in_list[-1]
        elif token == ":":
            name_next = False
        elif name_next:
            path[-1] = token[1:-1]
            found[tuple(path)] = _line(text, match.start())
        elif in_list and in_list[-1]:
            found[tuple(path)] = _line(text, match.start())
    return found


def line_of(path: str, lines: dict[Path, int]) -> int:
    """Of a path as error texts write it ("elements[0].restrictions" or "elements.0.restrictions"):
    its line, or that of what it should be in."""
    steps = _steps(path)
    while steps not in lines and steps:
        steps = steps[:-1]
    return lines.get(steps, 1)


def _steps(path: str) -> Path:
    found: Sequence[tuple[str, str]] = _STEP.findall(path)
    return tuple(int(index or name) if index or name.isdecimal() else name for index, name in found)


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
