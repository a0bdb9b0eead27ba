"""How the server would carry a query out, and what is wrong with that. Pure but for `explained`.

Judged are all plans that it considers: which one it takes depends on what is stored. A query is
sound if one of them reads what is asked for by an index, in the order that is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from db_interface.json_data import JsonObject

SCAN = "reads the whole collection"
WHOLE_INDEX = "reads a whole index"
SORT = "sorts in memory"


class _Seen(NamedTuple):
    limited: bool
    filtered: bool


def faults(explained: Mapping[str, object]) -> frozenset[str]:
    """What no plan of the query avoids; a plan with fewer faults counts."""
    found: set[str] = set()
    for planner in _planners(explained):
        plans = [planner["winningPlan"], *planner.get("rejectedPlans", ())]
        each = [frozenset(_of_plan(plan.get("queryPlan", plan))) for plan in plans]
        found |= min(each, key=len)
    if any("$sort" in stage for stage in _stages(explained)) and not _grouped(explained):
        found.add(SORT)
    return frozenset(found)


def _planners(explained: object) -> Iterator[JsonObject]:
    if isinstance(explained, Mapping):
        if "winningPlan" in explained:
            yield dict(explained)
            return
        for part in explained.values():
            yield from _planners(part)
    elif isinstance(explained, list):
        for part in explained:
            yield from _planners(part)


def _stages(explained: object) -> Iterator[Mapping[str, object]]:
    """Stages of an aggregation that are done outside of any plan."""
    if isinstance(explained, Mapping):
        stages = explained.get("stages")
        if isinstance(stages, list):
            yield from stages


def _grouped(explained: Mapping[str, object]) -> bool:
    """Whether what is sorted are groups: as many as there are values, not documents."""
    return any(
        "$group" in stage or '"stage": "GROUP"' in json.dumps(stage, default=str)
        for stage in _stages(explained)
    )


def _of_plan(stage: Mapping[str, object], seen: _Seen = _Seen(False, False)) -> Iterator[str]:
    name = stage.get("stage")
    limited = seen.limited or name in ("LIMIT",) or "limitAmount" in stage
    filtered = seen.filtered or bool(stage.get("filter"))
    few = limited and not filtered
    if name == "COLLSCAN" and not few:
        yield SCAN
    if name in ("SORT", "SORT_KEY_GENERATOR"):
        yield SORT
    if name in ("IXSCAN", "COUNT_SCAN") and not few and _is_whole(stage):
        yield WHOLE_INDEX
    # What is sorted is read to its end, whatever is taken of it.
    below = _Seen(limited and name not in ("SORT", "GROUP"), filtered)
    for key in ("inputStage", "outerStage", "innerStage"):
        inner = stage.get(key)
        if isinstance(inner, Mapping):
            yield from _of_plan(inner, below)
    inputs = stage.get("inputStages")
    if isinstance(inputs, list):
        for inner in inputs:
            yield from _of_plan(inner, below)


def _is_whole(scan: Mapping[str, object]) -> bool:
    if scan.get("isSparse") or scan.get("isPartial"):
        return False
    bounds = scan.get("indexBounds")
    if not isinstance(bounds, Mapping):
        return False
    if "startKey" in bounds:  # as a count has them
        return all("MinKey" in str(value) for value in dict(bounds["startKey"]).values())
    whole = (["[MinKey, MaxKey]"], ["[MaxKey, MinKey]"])
    return all(list(each) in whole for each in bounds.values())
