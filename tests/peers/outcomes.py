"""A pytest plugin that writes down which audit rows each test holds, and whether it passed."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

_outcomes: list[dict[str, Any]] = []


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    report = (yield).get_result()
    if "subject" not in getattr(item, "fixturenames", ()):
        return
    rows = getattr(getattr(item, "function", None), "audit_rows", ())
    if report.when == "call" or (report.when == "setup" and report.failed):
        _outcomes.append(
            {"test": item.nodeid.split("/")[-1], "rows": list(rows), "passed": report.passed}
        )


def pytest_sessionfinish() -> None:
    Path(os.environ["OCPI_OUTCOMES"]).write_text(json.dumps(_outcomes))
