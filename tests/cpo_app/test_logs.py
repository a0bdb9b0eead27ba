"""Log lines: one event one line, whatever a peer wrote."""

from __future__ import annotations

import asyncio
import json
import logging
import re

import pytest

from cpo_app import logs
from cpo_app.log_ids import bind, bound, usable_id
from cpo_app.log_ration import MAX_KEPT, RATIONED, Ration
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


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.partition(" cpo ")[2].strip() for line in capsys.readouterr().err.splitlines()]


def test_a_warning_that_repeats_is_written_once_a_minute_and_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(logs, "Ration", lambda: Ration(lambda: now))
    logs.set_up("INFO")
    log = logging.getLogger("cpo")
    for number in range(50):
        with bound(request_id=f"r-{number}"):
            log.warning("not ready: %s", "store")
    log.warning("not ready: %s", "watch")
    now += 61
    log.warning("not ready: %s", "store")
    log.warning("not ready: %s", "watch")
    said = lines(capsys)
    assert [line.partition(" [")[0] for line in said] == [
        "not ready: store",
        "not ready: watch",
        "not ready: store (and 49 more such lines before)",
        "not ready: watch",
    ]
    assert "r-0" in said[0]


def test_information_is_rationed_only_where_it_asks_for_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.set_up("INFO")
    log = logging.getLogger("cpo")
    for _ in range(3):
        log.info("command K: delivered")
        log.info("refused: HTTP 401", extra=RATIONED)
    assert lines(capsys) == [
        "command K: delivered",
        "refused: HTTP 401",
        *["command K: delivered"] * 2,
    ]


def test_errors_of_one_kind_are_one_traceback_and_of_another_kind_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.set_up("INFO")
    for number in (1, 1, 2):
        try:
            raise ValueError(f"boom {number}")
        except ValueError:
            logging.getLogger("cpo").exception("it broke")
    assert capsys.readouterr().err.count("Traceback") == 2


def test_what_is_kept_of_lines_is_bounded() -> None:
    ration = Ration(lambda: 0.0)

    def warning(text: str) -> logging.LogRecord:
        return logging.LogRecord("cpo", logging.WARNING, "", 0, text, None, None)

    for number in range(3 * MAX_KEPT):
        assert ration.left_out_before(warning(f"of {number}")) == 0
    assert ration.left_out_before(warning(f"of {3 * MAX_KEPT - 1}")) is None
    assert ration.left_out_before(warning("of 0")) == 0, "long forgotten"


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
                logging.getLogger("motor").warning("another room %d", number)

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
        ids = f"[correlation_id=c-{number} peer_id=peer-1 command_id=K]"
        assert other.endswith(f"room {number} {ids}")


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
