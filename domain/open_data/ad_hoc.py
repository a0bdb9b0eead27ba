"""Tariffs for who pays on the spot, and whether they can still be paid. Pure.

Those that a driver without a contract may pay (mod_tariffs, TariffType): AD_HOC_PAYMENT; without a
type one "is valid for all Charging Sessions".
"""

from __future__ import annotations

from datetime import datetime

from db_interface.json_data import JsonMapping
from domain.times import parse_datetime

_KINDS = ("AD_HOC_PAYMENT", None)


def is_ad_hoc(tariff: JsonMapping) -> bool:
    return tariff.get("type") in _KINDS


def is_payable(tariff: JsonMapping, at: datetime) -> bool:
    """An ad-hoc tariff that has not ended by then: it may begin later."""
    end = tariff.get("end_date_time")
    return is_ad_hoc(tariff) and (end is None or parse_datetime(end) >= at)
