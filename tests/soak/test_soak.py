"""The soak's short form: every kind of fault, once around."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.plan import LONG, SHORT, Kind, planned
from tests.soak.soak import soak

SEED = 1


@pytest.mark.processes
@pytest.mark.timeout(180)
def test_through_every_fault_what_the_meters_say_is_billed_once(tmp_path: Path) -> None:
    outcome = soak(planned(SEED, SHORT), tmp_path, settles_within_s=60)
    assert outcome.problems == []
    assert outcome.sessions and outcome.cdrs and outcome.delivered_wh > 0


@pytest.mark.parametrize("size", [SHORT, LONG])
def test_a_seed_is_a_plan_with_every_kind_of_fault(size: object) -> None:
    assert isinstance(size, type(SHORT))
    plan = planned(SEED, size)
    assert planned(SEED, size) == plan != planned(SEED + 1, size)
    assert {fault.kind for fault in plan.faults} == set(Kind)
    assert any(fault.for_s > size.limit_s for fault in plan.faults)
    assert any(abs(off_s) > 60 for off_s in plan.clocks_off_s) or any(
        abs(fault.clock_off_s) > 60 for fault in plan.faults
    )
