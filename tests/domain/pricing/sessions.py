"""Short ways to write tariffs, CDRs and charging periods in the tests of pricing."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from domain.pricing import Priced, price_cdr


def at(text: str) -> datetime:
    """A UTC moment from "2026-03-29 01:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def wire(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def component(
    kind: str, price: float, step_size: int = 1, vat: float | None = None
) -> dict[str, Any]:
    found: dict[str, Any] = {"type": kind, "price": price, "step_size": step_size}
    if vat is not None:
        found["vat"] = vat
    return found


def element(*components: dict[str, Any], **restrictions: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"price_components": list(components)}
    if restrictions:
        found["restrictions"] = restrictions
    return found


def tariff(*elements: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "T", "currency": "EUR", "elements": list(elements), **fields}


def period(start: datetime, **dimensions: float) -> dict[str, Any]:
    """A ChargingPeriod in JSON; volumes in kWh and hours, by CdrDimensionType."""
    return {
        "start_date_time": wire(start),
        "dimensions": [{"type": kind, "volume": volume} for kind, volume in dimensions.items()],
    }


def cdr(end: datetime, *periods: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "start_date_time": periods[0]["start_date_time"],
        "end_date_time": wire(end),
        "currency": "EUR",
        "charging_periods": list(periods),
        **fields,
    }


def charged(start: datetime, hours: float, kwh: float) -> dict[str, Any]:
    """A CDR of steady charging in one charging period."""
    end = start + timedelta(hours=hours)
    return cdr(end, period(start, ENERGY=kwh, TIME=round(hours, 4)))


def cost(priced: Priced, field: str = "total_cost") -> Decimal:
    """An amount without VAT."""
    return (priced.total_cost if field == "total_cost" else priced.costs[field]).excl


def price(session: dict[str, Any], with_tariff: Any, time_zone: str = "UTC") -> Priced:
    return price_cdr(session, with_tariff, time_zone)
