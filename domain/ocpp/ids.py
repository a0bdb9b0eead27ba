"""Our ids as OCPP takes them: numbers of 31 bits, and tags of 20 characters. Pure.

Each is made of our own id alone, so that both directions find the same one, in any process and
after any restart, without anything that has to be kept.
"""

from __future__ import annotations

import base64
import hashlib

MAX_ID_TAG = 20
"""OCPP 1.6, IdToken: CiString20Type. An OCPI token's uid has up to 36 characters."""

_CENTRAL = "Central"
_TOKEN_TYPES = {"RFID": "ISO14443"}


def id_tag(uid: str) -> str:
    """The idTag of OCPP 1.6 for a token: its uid, or where that is too long one derived from it.

    Both ignore case: compare `folded_tag` of what is sent and of what comes back.
    """
    if len(uid) <= MAX_ID_TAG:
        return uid
    digest = hashlib.sha256(uid.casefold().encode()).digest()
    return "X" + base64.b32encode(digest).decode()[: MAX_ID_TAG - 1]


def folded_tag(tag: str) -> str:
    """What two idTags have in common that are the same one."""
    return tag.casefold()


def id_token_type(token_type: str | None) -> str:
    """IdTokenEnumType of OCPP 2.0.1 for an OCPI TokenType: what no reader has read is Central."""
    return _TOKEN_TYPES.get(token_type or "", _CENTRAL)


def remote_start_id(session_id: str) -> int:
    """OCPP 2.0.1, RequestStartTransaction: the TransactionEvent that follows says it again."""
    return _number("start", session_id)


def reservation_number(reservation_id: str) -> int:
    """ReserveNow's number for a reservation, as the charge point is to know it."""
    return _number("reservation", reservation_id)


def profile_id(session_id: str) -> int:
    """The ChargingProfile that a session obeys: one, so that the next one replaces it."""
    return _number("profile", session_id)


def _number(what: str, text: str) -> int:
    """1 to 2^31 - 1: charge points keep a signed number of 32 bits, some take 0 for none."""
    digest = hashlib.sha256(f"{what}/{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % (2**31 - 1) + 1
