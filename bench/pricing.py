"""How long pricing takes: a day-long session under a dynamic tariff of 97 elements.

The tariff is the widest kind met in the field: a price for each quarter of an hour and one for the
rest. Nothing is measured but the pricing itself; nothing is printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from db_interface.json_data import JsonObject
from domain.pricing import price_cdr

_START = datetime(2026, 6, 8, 4, 7, 30, tzinfo=timezone.utc)
_END = _START + timedelta(hours=24)


def dynamic_tariff() -> JsonObject:
    """96 elements, one for each quarter of an hour (from a date on), and a default."""
    elements: list[JsonObject] = []
    for quarter in range(96):
        start, end = quarter * 15, (quarter + 1) * 15 % 1440
        elements.append(
            {
                "price_components": [
                    {"type": "ENERGY", "price": 0.3 + quarter / 1000, "vat": 21, "step_size": 1}
                ],
                "restrictions": {
                    "start_time": f"{start // 60:02d}:{start % 60:02d}",
                    "end_time": f"{end // 60:02d}:{end % 60:02d}",
                    "start_date": "2026-06-08",
                },
            }
        )
    default = {"type": "ENERGY", "price": 0.59, "vat": 21, "step_size": 1}
    elements.append({"price_components": [default]})
    return {"id": "dynamic", "currency": "EUR", "elements": elements}


def day_session(periods: int) -> JsonObject:
    """A CDR of a day in equal charging periods."""
    step = timedelta(hours=24) / periods
    return {
        "start_date_time": _wire(_START),
        "end_date_time": _wire(_END),
        "charging_periods": [
            {
                "start_date_time": _wire(_START + index * step),
                "dimensions": [
                    {"type": "ENERGY", "volume": round(60 / periods + index % 7 / 1000, 4)},
                    {"type": "TIME", "volume": round(24 / periods, 4)},
                ],
            }
            for index in range(periods)
        ],
    }


def _wire(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _median_ms(work: Callable[[], object], repeat: int = 15) -> float:
    work()  # the first run fills the caches, as a server's first session does
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return round(sorted(times)[repeat // 2], 3)


def run() -> dict[str, float]:
    """Medians in milliseconds."""
    tariff = dynamic_tariff()
    quarters, minutes = day_session(96), day_session(1440)
    zone = "Europe/Amsterdam"
    return {
        "day_session_97_elements_ms": _median_ms(lambda: price_cdr(quarters, tariff, zone)),
        "day_session_97_elements_1440_periods_ms": _median_ms(
            lambda: price_cdr(minutes, tariff, zone)
        ),
        "day_session_97_elements_explained_ms": _median_ms(
            lambda: price_cdr(quarters, tariff, zone).explanation
        ),
    }
