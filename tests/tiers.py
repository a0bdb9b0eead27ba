"""Who runs which tests, when: `make test-fast` after each change, `make test` before each commit,
`make test-long` as well before a landing, as the gate does (`.ci/run`). Each test is in `make test`
or in `make test-long`; `make test-fast` is a part of `make test`.

Three marks: `processes` stands in the files, on what starts processes of the product; `long` is
given here, to those and to what is in certain places, `store` by the fixtures of a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

LONG = {
    "browser": "a Chromium walks through every page, in dark and light, wide and narrow",
    "bench": "every set of figures in miniature",
    "cpo_app/test_strangers_bill.py": "a stranger's worst bodies, to each route of each port",
}
"""Below tests/, besides what starts processes: many seconds each, for what seldom breaks alone."""
STORE_FIXTURES = frozenset({"mongo_url", "server"})


def mark(items: Sequence[pytest.Item]) -> None:
    long = [TESTS / place for place in LONG]
    for item in items:
        is_there = any(item.path == place or place in item.path.parents for place in long)
        if is_there or item.get_closest_marker("processes"):
            item.add_marker(pytest.mark.long)
        if not STORE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.store)
