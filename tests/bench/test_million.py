"""The bench of a million locations, in miniature: each part is done, and what must be so is."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from bench import million
from bench.million.side import Scale
from db_interface import stretches


@pytest.mark.processes
@pytest.mark.timeout(400)  # two servers and two imports, beside whatever else runs
def test_a_miniature_million_is_read_written_and_imported(
    mongo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CPO_MONGO_URL", mongo_url)
    monkeypatch.setattr(stretches, "SETTLED_AFTER", timedelta(0))
    scale = Scale(
        locations=1200,
        small=300,
        imported=20,
        rounds=1,
        slice_s=0.1,
        offsets=8,
        written=4,
        status_changes=4,
    )
    measured = million.run(scale=scale)
    assert set(million.GOALS) <= set(measured)
    assert not any(math.isnan(value) for value in measured.values()), "a part was not done"
    assert measured["wrong_totals"] == 0
    assert measured["import_per_s"] > 0
