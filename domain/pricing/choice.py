"""Which tariff is in force: for a session that starts, and for each charging period of one.

A driver keeps the tariff that was valid when they started (mod_tariffs, Tariff, note on
start_date_time), unless the charging periods name another.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from db_interface.json_data import JsonObject
from domain.objects import OcpiObject
from domain.pricing.periods import Period
from domain.pricing.quantities import PricingInputError, instant_us
from domain.pricing.tariff import CompiledTariff, compile_tariff

REGULAR = "REGULAR"


def choose_tariff(
    tariffs: Sequence[OcpiObject],
    at: datetime | str,
    *,
    ad_hoc: bool = False,
    profile: str | None = None,
) -> JsonObject | None:
    """The tariff of a session that starts at `at`, or None when none of `tariffs` is for it.

    `ad_hoc`: paid at the charge point. `profile`: the profile_type of the session's charging
    preferences (CHEAP, FAST, GREEN, REGULAR), or None without a preference (an RFID card, or a
    start by command). A tariff of the very type goes first, then one without a type ("valid for
    all sessions"); a preference that has no tariff of its own is served by the REGULAR one. Among
    equals the one that became valid last replaces the others, then the order of the list counts.
    """
    wanted: list[str | None]
    if ad_hoc:
        wanted = ["AD_HOC_PAYMENT", None]
    elif profile and profile != REGULAR:
        wanted = [f"PROFILE_{profile}", REGULAR, None]
    else:
        wanted = [REGULAR, None]
    at_us = instant_us(at, "at")
    valid = [(compile_tariff(t), t) for t in tariffs]
    valid = [(compiled, tariff) for compiled, tariff in valid if compiled.valid_at(at_us)]
    for kind in wanted:
        fitting = [pair for pair in valid if pair[0].type == kind]
        if fitting:
            return dict(max(fitting, key=lambda pair: _start(pair[0]))[1])
    return None


def _start(tariff: CompiledTariff) -> float:
    return float("-inf") if tariff.start_us is None else tariff.start_us


def tariffs_of_periods(
    periods: Sequence[Period], tariffs: Sequence[CompiledTariff], start_us: int
) -> list[CompiledTariff | None]:
    """The tariff of each period; None where none is in force (nothing is billed).

    Periods that name no tariff: where none of them does, the first tariff that was valid at the
    session's start prices all; else "no Tariff is relevant during this period" (mod_cdrs). A
    named tariff must have been valid at the session's or the period's start. Raises
    `PricingInputError` for a name that is not among `tariffs`.
    """
    if not any(period.tariff_id for period in periods):
        only = next((tariff for tariff in tariffs if tariff.valid_at(start_us)), None)
        return [only] * len(periods)
    by_id: dict[str, list[CompiledTariff]] = {}
    for tariff in tariffs:
        by_id.setdefault(tariff.id.lower(), []).append(tariff)
    found: list[CompiledTariff | None] = []
    for index, period in enumerate(periods):
        if not period.tariff_id:
            found.append(None)
            continue
        named = by_id.get(str(period.tariff_id).lower())
        if named is None:
            name = f"charging_periods[{index}].tariff_id"
            raise PricingInputError(f"{name}: {period.tariff_id!r} is not among the tariffs")
        found.append(
            next((t for t in named if t.valid_at(start_us)), None)
            or next((t for t in named if t.valid_at(period.start_us)), None)
        )
    return found
