"""Every shape of tariff that Dutch operators publish prices any session, and does so fast."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.pricing import day_session, dynamic_tariff
from domain.pricing import price_cdr, tariff_problems
from tests.domain.pricing.sessions import at, cdr, period

DATA = Path(os.environ.get("OCPI_TEST_DATA") or Path(__file__).parents[3] / "../shared/data/ndw")
SHAPES = DATA / "tariff_shapes.json"


def shapes() -> list[dict[str, Any]]:
    if not SHAPES.exists():
        pytest.skip(f"the Dutch tariff shapes are not here: no {SHAPES.name} in OCPI_TEST_DATA")
    return [shape["example"] for shape in json.loads(SHAPES.read_text())]


def sessions() -> list[dict[str, Any]]:
    """Short and long, across midnight, the end of summer time and a weekend; with parking."""
    found = []
    for start in ("2026-06-06 21:00", "2026-06-08 04:07", "2026-10-24 22:00", "2026-03-28 23:30"):
        begin = at(start)
        for hours, kwh in ((0.05, 0), (0.5, 25.4), (3, 33.3333), (9, 70), (30, 99.9)):
            full = begin + timedelta(hours=hours / 2)
            end = begin + timedelta(hours=hours)
            found.append(
                cdr(
                    end,
                    period(begin, ENERGY=kwh, TIME=round(hours / 2, 4), MAX_POWER=49.5),
                    period(full, PARKING_TIME=round(hours / 2, 4)),
                )
            )
    return found


def test_all_shapes_price_a_range_of_sessions() -> None:
    priced_at_all = 0
    for tariff in shapes():
        for session in sessions():
            priced = price_cdr(session, tariff, "Europe/Amsterdam")
            totals = priced.totals()
            assert totals["total_cost"]["incl_vat"] >= totals["total_cost"]["excl_vat"] >= 0
            assert sum(row.excl_vat for row in priced.explanation) == priced.total_cost.excl
            priced_at_all += totals["total_cost"]["excl_vat"] > 0
    assert priced_at_all > 500  # of 1080; many fields' tariffs end before autumn or are free


def test_what_is_odd_in_real_tariffs_is_named_and_never_an_error() -> None:
    problems = [text for tariff in shapes() for text in tariff_problems(tariff)]
    # A date range of "today until today": end_date is exclusive, so these never apply.
    assert any("start_date 2026-06-07 is not below end_date 2026-06-07" in p for p in problems)
    assert any(p.startswith("warning: ") and "23:59" in p for p in problems)


def test_a_day_long_session_is_priced_within_ten_milliseconds() -> None:
    tariff, session = dynamic_tariff(), day_session(96)

    def took_ms() -> float:
        began = time.process_time()
        price_cdr(session, tariff, "Europe/Amsterdam")
        return (time.process_time() - began) * 1000

    traced = sys.gettrace() is not None  # for coverage: several times as slow
    assert min(took_ms() for _ in range(10)) < (50 if traced else 10)
