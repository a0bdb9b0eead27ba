"""What the sender, and whoever looks at it, asks the store is found by an index."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from tests.cpo_app.events.conftest import House
from tests.cpo_app.ocpi.push.test_plans import stages

NOW = datetime.now(timezone.utc)
EVERYBODY = {"$in": ["*", "guests", ""]}


@pytest.mark.parametrize(
    ("collection", "query", "sort"),
    [
        ("event_marks", {"due": {"$lte": NOW}}, {"due": 1}),
        ("event_marks", {}, {"since": 1}),
        ("event_marks", {"attempts": {"$gt": 0}}, None),
        ("event_marks", {"_id": "cdrs/nl/evc/c1", "version": "v"}, None),
        ("locations", {"last_updated": {"$gte": NOW}, "audience": EVERYBODY}, None),
        ("tariffs", {"last_updated": {"$gte": NOW}, "audience": EVERYBODY}, None),
        ("sessions", {"last_updated": {"$gte": NOW}}, {"_id": 1}),
        ("cdrs", {"last_updated": {"$gte": NOW}}, {"_id": 1}),
        ("charge_points", {"told_at": {"$gte": NOW}}, {"_id": 1}),
        ("commands", {"$or": [{"created": {"$gte": NOW}}, {"finished_at": {"$gte": NOW}}]}, None),
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
