"""Log lines: one event one line, whatever a peer wrote."""

from __future__ import annotations

import asyncio
import json
import logging
import re

import pytest

from cpo_app import logs
from cpo_app.log_ids import bind, bound, usable_id
from domain.times import parse_datetime


@pytest.fixture(autouse=True)
def _as_before() -> object:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_break_in_a_path_does_not_make_a_second_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.set_up("INFO")
    logging.getLogger("cpo").info("GET %s", "/a\nFAKE \x1b[31mlog")
    (line,) = capsys.readouterr().err.splitlines()
    assert "\\nFAKE" in line and "\\x1b" in line


def test_json_is_one_object_a_line_with_the_traceback_inside(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.set_up("INFO", "json")
    try:
        raise ValueError("boom\nbang")
    except ValueError:
        logging.getLogger("cpo").exception("it broke")
    (line,) = capsys.readouterr().err.splitlines()
    row = json.loads(line)
    assert (row["level"], row["message"]) == ("ERROR", "it broke")
    assert "ValueError: boom" in row["traceback"]


def test_an_unknown_level_means_info(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("LOUD")
    logging.getLogger("cpo").debug("hidden")
    logging.getLogger("cpo").info("shown")
    assert "shown" in (said := capsys.readouterr().err) and "hidden" not in said


def test_every_line_bears_its_date_in_utc_and_the_ids_that_are_bound(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.set_up("INFO")

    async def request(number: int) -> None:
        with bound(correlation_id=f"c-{number}", peer_id="peer-1"):
            await asyncio.sleep(0)
            await asyncio.create_task(part_of_it())
            with bound(command_id="K", peer_id=None):
                logging.getLogger("motor").warning("another room")

    async def part_of_it() -> None:
        bind(cp_id="CP-001")
        logging.getLogger("cpo").info("inside")

    async def both() -> None:
        await asyncio.gather(request(1), request(2))

    asyncio.run(both())
    logging.getLogger("cpo").info("outside")
    *within, outside = capsys.readouterr().err.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ \w+ +\w+ ", line) for line in within)
    assert outside.endswith("outside")
    for number in (1, 2):
        inside, other = (line for line in within if f"c-{number}" in line)
        assert inside.endswith(f"inside [correlation_id=c-{number} peer_id=peer-1 cp_id=CP-001]")
        assert other.endswith(f"room [correlation_id=c-{number} peer_id=peer-1 command_id=K]")


def test_json_has_the_ids_as_fields(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO", "json")
    with bound(correlation_id="c-1"):
        logging.getLogger("cpo").info("inside")
    row = json.loads(capsys.readouterr().err)
    assert (row["correlation_id"], row["message"]) == ("c-1", "inside")
    assert row["at"].endswith("Z") and parse_datetime(row["at"])


def test_an_id_that_would_forge_a_line_is_not_taken() -> None:
    assert usable_id("a-1") == "a-1"
    assert [usable_id(one) for one in (None, "", "a b", "a\nb", "x" * 129, "\u00e9")] == [None] * 6
