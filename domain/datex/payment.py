"""How a driver identifies himself and pays, out of the EVSEs' capabilities. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex.words import enums, mapped

AUTHENTICATION: Mapping[str, str] = {
    "CONTACTLESS_CARD_SUPPORT": "nfc",
    "CREDIT_CARD_PAYABLE": "creditCard",
    "DEBIT_CARD_PAYABLE": "debitCard",
    "PED_TERMINAL": "pinpad",
    "REMOTE_START_STOP_CAPABLE": "apps",
    "RFID_READER": "rfid",
}
"""OCPI's Capability to AuthenticationAndIdentificationEnum."""
MEANS: Mapping[str, str] = {
    "CHIP_CARD_SUPPORT": "emv",
    "CONTACTLESS_CARD_SUPPORT": "nfc",
    "CREDIT_CARD_PAYABLE": "paymentCreditCard",
    "DEBIT_CARD_PAYABLE": "paymentDebitCard",
}
"""And to MeansOfPaymentEnum."""
TERMINAL = "PED_TERMINAL"
UNSAID = (
    "CHARGING_PROFILE_CAPABLE",
    "START_SESSION_CONNECTOR_REQUIRED",
    "TOKEN_GROUP_CAPABLE",
    "UNLOCK_CAPABLE",
)
"""Capabilities that concern platforms and not drivers. RESERVABLE and CHARGING_PREFERENCES_CAPABLE
are said of the charging point."""


class Ways(NamedTuple):
    """How drivers identify themselves and pay at a station."""

    authentication: list[JsonObject]
    means: list[JsonObject]
    terminal: bool


def ways_of(evses: Iterable[JsonMapping], *, by_car: bool) -> Ways:
    """`by_car`: some car says itself who pays (plug and charge)."""
    return _ways(tuple(one for evse in evses for one in evse.get("capabilities") or ()), by_car)


@lru_cache(maxsize=1024)
def _ways(capabilities: tuple[str, ...], by_car: bool) -> Ways:
    known = sorted(set(capabilities))
    authentication = [*mapped(known, AUTHENTICATION), *(enums(["plc"]) if by_car else ())]
    return Ways(authentication, mapped(known, MEANS), TERMINAL in known)
