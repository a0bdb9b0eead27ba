"""How a driver identifies himself and pays, out of the EVSEs' capabilities. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from db_interface.json_data import JsonMapping

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


def capabilities_of(evses: Iterable[JsonMapping]) -> list[str]:
    return list(
        dict.fromkeys(one for evse in evses for one in sorted(evse.get("capabilities") or ()))
    )
