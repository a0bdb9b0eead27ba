"""The keys for shards are such that MongoDB takes them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from db_interface.indexes import INDEXES
from db_interface.sharding import HASHED, SHARDING, Spread, commands

SPREAD = {name: spread for name, spread in SHARDING.items() if isinstance(spread, Spread)}


@pytest.mark.parametrize("name", SPREAD)
def test_unique_indexes_begin_with_the_key_and_an_index_serves_it(name: str) -> None:
    spread = SPREAD[name]
    indexes = [model.document for model in INDEXES.get(name, [])]
    begins = [tuple(index["key"])[: len(spread.fields)] == spread.fields for index in indexes]
    for index, fits in zip(indexes, begins, strict=True):
        assert fits or not index.get("unique"), index["name"]
    if spread.by == HASHED:
        assert spread.fields == ("_id",)
    else:
        whole = [not index.get("partialFilterExpression") for index in indexes]
        assert any(fits and all_of_it for fits, all_of_it in zip(begins, whole, strict=True))


def test_every_collection_with_an_index_has_its_place() -> None:
    assert set(INDEXES) - set(SHARDING) == set()


def test_the_module_prints_what_an_administrator_types() -> None:
    run = [sys.executable, "-m", "db_interface.sharding", "operator"]
    printed = subprocess.run(run, capture_output=True, text=True, check=True).stdout.splitlines()
    assert printed == commands("operator")
    assert printed[0] == 'sh.enableSharding("operator")'
    assert 'sh.shardCollection("operator.locations", {"_id": "hashed"})' in printed
    assert 'sh.shardCollection("operator.evse_status_history", {"cp_id": 1, "at": 1})' in printed
