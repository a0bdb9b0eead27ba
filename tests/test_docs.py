"""The docs are true: every variable is there, links lead somewhere, commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from db_interface.indexes import OWNED_MODULES
from db_interface.sharding import SHARDING
from db_interface.writers import SLOTS, WRITERS

REPOSITORY = Path(__file__).parents[1]
PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


def test_pictures_are_small_and_each_is_shown() -> None:
    text = "".join(page.read_text() for page in PAGES)
    for picture in (REPOSITORY / "docs/pictures").iterdir():
        assert picture.stat().st_size <= 200_000
        assert f"pictures/{picture.name})" in text


def test_the_index_names_every_page() -> None:
    index = (REPOSITORY / "docs/README.md").read_text()
    named = set(re.findall(r"\]\(([a-z-]+\.md)\)", index))
    assert {page.name for page in PAGES} - {"README.md"} == named


def test_every_command_that_is_named_exists() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "cpo_app.cli", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "PATH": ""},
    )
    known = set(re.findall(r"^\W*([a-z][a-z-]+)\s{2,}", asked.stdout, re.M))
    text = "\n".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"`(?:\.venv/bin/)?cpo ([a-z][a-z-]+)", text))
    named |= set(re.findall(r"\.venv/bin/cpo ([a-z][a-z-]+)", text))
    assert named - known == set()
    assert {"up", "serve", "registry", "monitor", "engine", "peers", "check"} <= known


def test_no_page_names_a_path_of_this_machine() -> None:
    for page in PAGES:
        assert not re.search(r"(?<![\w.])/(work|root|home)/", page.read_text()), page


def test_the_architecture_page_lists_every_collection_with_its_owner() -> None:
    page = (REPOSITORY / "docs/architecture.md").read_text().split("## Documents in MongoDB")[1]
    rows = [
        [cell.strip() for cell in row.split("|")[1:4]] for row in page.splitlines() if "|" in row
    ]
    listed = {name: owner for names, _, owner in rows for name in re.findall("`(.*?)`", names)}
    declared = {
        name: str(file.relative_to(REPOSITORY))
        for package in ("domain", "auth", "db_interface", "crud", "cpo_app")
        for file in (REPOSITORY / package).rglob("*.py")
        for name in re.findall(
            r'^\w+: Collection\[.*\] = Collection\("(\w+)"\)', file.read_text(), re.M
        )
    }
    declared = {**declared, **dict.fromkeys(OWNED_MODULES, "db_interface/owned_objects.py")}
    declared |= dict.fromkeys((WRITERS, SLOTS), "db_interface/writers.py")
    assert set(listed) == set(declared) == set(SHARDING), "db_interface/sharding.py has them all"
    assert {n for n, file in declared.items() if not file.startswith(listed[n].strip("`"))} == set()


def test_every_file_that_a_page_names_is_there() -> None:
    missing = []
    for page in PAGES:
        for name in re.findall(
            r"`((?:cpo_app|crud|auth|domain|db_interface|tests|bench)/[\w./-]+)`", page.read_text()
        ):
            if not (REPOSITORY / name).exists() and not (REPOSITORY / f"{name}.py").exists():
                missing.append((page.name, name))
    assert missing == []
