"""Log lines: one event one line, whatever a peer wrote."""

from __future__ import annotations

import json
import logging

import pytest

from cpo_app import logs


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
