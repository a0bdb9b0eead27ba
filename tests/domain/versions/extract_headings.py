"""Makes tests/data/ocpi_headings.json out of the headings of the texts of all versions.

    python -m tests.domain.versions.extract_headings GIT_DIRECTORY_OF_OCPI

GIT_DIRECTORY_OF_OCPI is one of github.com/ocpi/ocpi. Never edit the JSON by hand: it is the texts'
word, against which the sections are tested that `cpo check` names. Numbers are those of the texts
as they are published: scripts/merge.pl says how chapters follow one another; four levels have one.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

KEPT = Path(__file__).parents[2] / "data" / "ocpi_headings.json"
BRANCHES = {
    "2.1.1": "release-2.1.1-bugfixes",
    "2.2.1": "release-2.2.1-bugfixes",
    "2.3.0": "2.3.0/release/core",
}
_LEVELS = 4
_MARKUP = re.compile(r"[_*]+")


def shown(directory: str, branch: str, path: str) -> str:
    asked = ["git", "--git-dir", directory, "show", f"{branch}:{path}"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout


def of_asciidoc(directory: str, branch: str) -> Iterator[str]:
    chapter = 0
    for file in files_of(directory, branch):
        numbers = [0] * _LEVELS
        for line in shown(directory, branch, f"{file}.asciidoc").splitlines():
            found = re.match(r"(={2,6}) +(.+)", line)
            if found is None:
                continue
            level = len(found[1]) - 2
            if level == 0:
                chapter += 1
                numbers = [chapter] + [0] * (_LEVELS - 1)
            elif level < _LEVELS:
                numbers[level] += 1
                numbers[level + 1 :] = [0] * (_LEVELS - level - 1)
            else:
                continue
            number = ".".join(map(str, numbers[: level + 1]))
            yield f"{file} {number} {_plain(found[2])}"


def files_of(directory: str, branch: str) -> list[str]:
    """In the order of publication."""
    merged = shown(directory, branch, "scripts/merge.pl")
    there = set(listed(directory, branch))
    words = re.findall(r"[a-z]\w+", merged.split("if (open", 1)[0])
    return [word for word in dict.fromkeys(words) if f"{word}.asciidoc" in there]


def listed(directory: str, branch: str) -> list[str]:
    asked = ["git", "--git-dir", directory, "ls-tree", "--name-only", branch]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()


def of_markdown(directory: str, branch: str) -> Iterator[str]:
    for path in listed(directory, branch):
        if not path.endswith(".md"):
            continue
        for line in shown(directory, branch, path).splitlines():
            found = re.match(r"#{1,5} +(?:(\d[\d.]*?)\.? +)?(.+)", line)
            if found is not None:
                number = f" {found[1]}" if found[1] else ""
                yield f"{path.removesuffix('.md')}{number} {_plain(found[2])}"


def _plain(title: str) -> str:
    return re.sub(r"\s+", " ", _MARKUP.sub("", title)).strip()


def main() -> None:
    (directory,) = sys.argv[1:]
    found = {
        number: list((of_markdown if number == "2.1.1" else of_asciidoc)(directory, branch))
        for number, branch in BRANCHES.items()
    }
    KEPT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
