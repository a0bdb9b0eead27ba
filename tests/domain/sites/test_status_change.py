"""A status change written into a Location is what deriving all of it anew would give."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.charge_points.evse_states import EvseStatus
from domain.sites import Built, build_location, ocpi_id, with_status
from tests.domain.sites.registrations import NOW, Acme, record
from tests.drawn import drawn

STATUSES = st.sampled_from([status.value for status in EvseStatus if status != EvseStatus.REMOVED])
IDS = ("CP-001", "CP-002", "a charge point/with an id that no URL could carry as it is", "cp.4")
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "power_rating": st.sampled_from(["22kW", "50 kW", 11]),
        "type": st.sampled_from(["AC", "DC"]),
        "capabilities": st.just(["RESERVABLE"]),
        "coordinates": st.just({"latitude": 52.5, "longitude": 13.4}),
        "evse": st.just({"floor_level": "-1"}),
        "name": st.sampled_from(["Hub", "Ünïcode ⚡"]),
    },
)


def derived(
    records: list[dict[str, Any]],
    statuses: dict[str, str],
    now: datetime,
    previous: dict[str, Any] | None,
) -> dict[str, Any]:
    outcome = build_location(records, statuses, Acme(), previous=previous, now=now)
    assert isinstance(outcome, Built)
    return outcome.location


@settings(max_examples=drawn(30))
@given(
    metadata=st.lists(METADATA, min_size=1, max_size=len(IDS)),
    statuses=st.dictionaries(st.sampled_from(IDS), STATUSES),
    changes=st.lists(
        st.tuples(st.integers(0, len(IDS) - 1), STATUSES, st.integers(-5_000, 5_000)), max_size=4
    ),
)
def test_it_equals_the_full_derivation_to_the_byte(
    metadata: list[dict[str, Any]],
    statuses: dict[str, str],
    changes: list[tuple[int, str, int]],
) -> None:
    records = [
        record(IDS[number], metadata={"site_id": "HUB", **one})
        for number, one in enumerate(metadata)
    ]
    # Stored and read again, as the location is that a change finds.
    location = orjson.loads(orjson.dumps(derived(records, statuses, NOW, None)))
    for number, status, milliseconds in changes:
        cp_id = records[number % len(records)]["cp_id"]
        now = NOW + timedelta(milliseconds=milliseconds)
        statuses = {**statuses, cp_id: status}
        whole = derived(records, statuses, now, location)
        changed = with_status(location, ocpi_id(cp_id).lower(), status, now=now)
        assert orjson.dumps(changed) == orjson.dumps(whole)
        location = orjson.loads(orjson.dumps(whole))


def test_an_evse_that_is_not_there_is_for_the_full_derivation() -> None:
    location = derived([record("CP-001")], {}, NOW, None)
    assert with_status(location, "CP-002", "AVAILABLE", now=NOW) is None
