"""How much a counter of this process has grown meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import REGISTRY


def growth_of(sample: str, **labels: str) -> Callable[[], float]:
    """`grown = growth_of("cpo_..._total", module="cdrs")`, then later `grown()`."""

    def now() -> float:
        return REGISTRY.get_sample_value(sample, labels) or 0.0

    before = now()
    return lambda: now() - before
