"""While a process starts nothing is collected; afterwards it is, but seldom."""

from __future__ import annotations

import gc
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
