"""What the push asks the store on every turn is found by an index, however long the backlog."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from tests.cpo_app.ocpi.push.conftest import House

NOW = datetime.now(timezone.utc)
PEER_IDS = ["peer-1", "peer-2"]


def stages(plan: Any) -> Iterator[str]:
    if isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            yield plan["stage"]
        for part in plan.values():
            yield from stages(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from stages(part)


@pytest.mark.parametrize(
    ("collection", "query", "sort"),
    [
        ("marks", {"peer_id": "p", "due": {"$lte": NOW}, "_id": {"$nin": ["a"]}}, {"due": 1}),
        ("marks", {"peer_id": "p"}, {"since": 1}),
        ("marks", {"peer_id": "p", "error.awaits": "de*tnm"}, None),
        ("deliveries", {"peer_id": "p", "location": {"$type": "string"}}, {"at": -1}),
        (
            "peers",
            {
                "status": {"$in": ["connected", "suspended"]},
                "endpoints": {"$elemMatch": {"identifier": "locations", "role": "RECEIVER"}},
            },
            None,
        ),
        (
            "peers",
            {
                "status": {"$in": ["connected", "suspended"]},
                "endpoints": {"$elemMatch": {"identifier": "cdrs", "role": "RECEIVER"}},
                "$or": [
                    {"parties": {"$in": ["de*tnm"]}},
                    {"client_audiences": {"$in": ["de*tnm"]}},
                ],
            },
            None,
        ),
        ("hub_clients", {"peer_id": "p", "status": {"$ne": "CONNECTED"}}, None),
        ("hub_clients", {"peer_id": "p"}, {"_id": 1}),
        ("locations", {"audience": {"$in": ["*"]}, "last_updated": {"$gte": NOW}}, None),
    ],
)
def test_no_query_scans_or_sorts(
    house: House, collection: str, query: dict[str, Any], sort: dict[str, int] | None
) -> None:
    async def explain() -> Any:
        find = {"find": collection, "filter": query, **({"sort": sort} if sort else {})}
        return await house.db.client[house.db.name].command(
            {"explain": find, "verbosity": "queryPlanner"}
        )

    plan = house.loop.run(explain())["queryPlanner"]["winningPlan"]
    assert not {"COLLSCAN", "SORT"} & set(stages(plan))
