"""A table of a version that is loaded when it is first asked: most platforms speak one version, and
every process and command would load the others, too."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Later(Mapping[K, V]):
    """`Later("domain.versions.v2_1_1.schemas", "MODELS")`."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name
        self._loaded: Mapping[K, V] | None = None

    def _table(self) -> Mapping[K, V]:
        if self._loaded is None:
            table: Mapping[K, V] = getattr(importlib.import_module(self._module), self._name)
            self._loaded = table
        return self._loaded

    def __getitem__(self, key: K) -> V:
        return self._table()[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._table())

    def __len__(self) -> int:
        return len(self._table())
