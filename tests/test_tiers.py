"""No test is lost between `make test` and `make test-long`, and the gate runs both."""

from __future__ import annotations

import pytest

from tests.tiers import LONG, TESTS

REPOSITORY = TESTS.parent


@pytest.mark.parametrize("place", LONG)
def test_what_is_long_is_there(place: str) -> None:
    path = TESTS / place
    assert list(path.rglob("test_*.py")) if path.is_dir() else path.is_file()


def test_this_one_is_short_and_asks_no_store(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("long") is None
    assert request.node.get_closest_marker("store") is None


def test_one_that_asks_the_store_is_marked(mongo_url: str, request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("store") is not None


def test_the_gate_runs_what_is_long_and_what_is_not() -> None:
    gate = (REPOSITORY / ".ci" / "run").read_text().splitlines()
    assert {"make check", "make test", "make test-long"} <= set(gate)
    makefile = (REPOSITORY / "Makefile").read_text()
    assert 'test: $(STAMP)\n\t$(PYTEST) -m "not long" $(ARGS)\n' in makefile
    assert "test-long: browser\n\t$(PYTEST) -m long $(ARGS)\n" in makefile
