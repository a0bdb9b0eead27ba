"""Who runs which tests, when: `make test-fast` after each change, `make test` before each commit,
`make test-long` as well before a landing, as the gate does (`.ci/run`). Each test is in `make test`
or in `make test-long`; `make test-fast` is a part of `make test`.

Three marks, of which two are given here: `long`, by where a test is, and `store`, by the fixtures
that it asks for. `processes` stands in the files themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

LONG = {
    "browser": "a Chromium walks through every page, in dark and light, wide and narrow",
    "e2e": "whole systems of real processes, killed and started again",
    "soak": "minutes of faults, judged by the meters",
    "bench": "every set of figures in miniature",
    "cpo_app/test_strangers_bill.py": "a stranger's worst bodies, to each route of each port",
}
"""What takes long, below tests/: many seconds each, for what seldom breaks alone."""
STORE_FIXTURES = frozenset({"mongo_url", "server"})


def mark(items: Sequence[pytest.Item]) -> None:
    long = [TESTS / place for place in LONG]
    for item in items:
        if any(item.path == place or place in item.path.parents for place in long):
            item.add_marker(pytest.mark.long)
        if not STORE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.store)
