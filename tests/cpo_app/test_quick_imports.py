"""While a process starts nothing is collected; afterwards it is, but seldom."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cpo_app.quick_imports import YOUNG_OBJECTS, quick_imports


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    thresholds = gc.get_threshold()
    monkeypatch.setattr(gc, "freeze", lambda: None)  # for good: not in this process
    yield
    gc.set_threshold(*thresholds)
    gc.enable()


def test_nothing_is_collected_until_all_is_imported() -> None:
    with quick_imports():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_threshold()[0] == YOUNG_OBJECTS > 700


def test_what_cannot_be_imported_leaves_the_collector_at_work() -> None:
    with pytest.raises(ImportError), quick_imports():
        raise ImportError
    assert gc.isenabled()


def test_what_a_server_is_made_of_is_looked_through_no_more() -> None:
    """In a process of its own: for good is for good."""
    program = (
        "import gc\n"
        "from cpo_app.quick_imports import for_good\n"
        "made = [[] for _ in range(1000)]\n"
        "for_good()\n"
        "assert len(gc.get_objects()) < 100\n"
        "made.append([])\n"
        "assert any(one is made[-1] for one in gc.get_objects())\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
