"""What commands print is for people or JSON, never Python: no reprs in any of their output."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from cpo_app.cli.output import plain_text, print_facts
from cpo_app.cli.tables import print_table
from db_interface.database import Database
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo
from tests.domain.imports.test_changes import location
from tests.domain.sessions.worlds import element, tariff

AT = datetime(2026, 11, 21, 11, 32, 24, 436000, tzinfo=timezone.utc)
PYTHON = re.compile(
    r"datetime\.|tzinfo|\{'|\['|\('|': |\bNone\b|\bTrue\b|\bFalse\b|Decimal\(|<\w+\."
)


class Colour(str, Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ({}, "-"),
        (True, "yes"),
        (AT, "2026-11-21 11:32:24"),
        ("2026-11-21T11:32:24.436000Z", "2026-11-21 11:32:24"),
        ("2026-11-21T11:32:24Z", "2026-11-21 11:32:24"),
        ("since 2026-11-21T11:32:24Z", "since 2026-11-21T11:32:24Z"),
        (Colour.RED, "red"),
        (Decimal("0.10"), "0.10"),
        ({"at": AT, "text": "no answer"}, "at 2026-11-21 11:32:24, text no answer"),
        ([{"identifier": "cdrs", "role": "SENDER"}, {"identifier": "x"}], None),
        (("a", "b"), "a b"),
        ({"excl_vat": 0.0, "incl_vat": None}, "excl_vat 0.0, incl_vat -"),
    ],
)
def test_a_value_is_written_as_people_write(value: Any, text: str | None) -> None:
    shown = plain_text(value)
    assert text is None or shown == text
    assert not PYTHON.search(shown)


def test_facts_and_tables_hold_no_python(capsys: pytest.CaptureFixture[str]) -> None:
    fact = {"at": AT, "rows": [{"a": None, "b": [True, "x"]}], "colour": Colour.RED}
    print_facts(fact)
    print_table(("One", "Two"), [(fact, [fact])])
    assert not PYTHON.search(capsys.readouterr().out)


def test_no_command_prints_python(cpo: Cpo, db: Database, loop: Loop, tmp_path: Path) -> None:
    for module, row in (("locations", location()), ("tariffs", tariff("T1", element("FLAT", 1)))):
        file = tmp_path / f"{module}.json"
        file.write_text(json.dumps(row))
        assert cpo(module, "import", str(file)).code == 0
    peer_id = cpo("peers", "invite", "--name", "Trouble").json()["peer_id"]

    async def in_trouble() -> None:
        await db["peers"].update_one(
            {"_id": peer_id},
            {
                "$set": {
                    "status": "connected",
                    "last_error": {"at": AT, "text": "does not answer"},
                    "last_seen": AT,
                    "endpoints": [
                        {"identifier": "cdrs", "role": "RECEIVER", "url": "https://a.example/cdrs"}
                    ],
                }
            },
        )

    loop.run(in_trouble())
    for arguments in (
        ("peers", "list"),
        ("peers", "show", peer_id),
        ("locations", "list"),
        ("tariffs", "list"),
        ("tariffs", "default"),
        ("cdrs", "list"),
    ):
        ran = cpo(*arguments)
        assert ran.code == 0, ran.err
        assert not PYTHON.search(ran.out + ran.err), arguments
    assert "does not answer" in cpo("peers", "show", peer_id).out
