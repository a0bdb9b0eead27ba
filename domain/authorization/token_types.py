"""Types of tokens as a reader names them, whatever version of OCPI their eMSP speaks.

An eMSP of 2.2.1 has no EMAID: of such a token (the contract that a car shows by itself, ISO 15118)
it says OTHER. Reader and eMSP mean the same one.
"""

from __future__ import annotations

import re

from db_interface.owned_objects import party_key
from domain.versions import INNER_VERSION
from domain.versions.inner import TOKEN_TYPES

__all__ = ["TOKEN_TYPES", "is_said_as", "issuer_of", "names_of"]

EMAID = "EMAID"
_EMAID = re.compile(
    r"(?P<country>[A-Z]{2})-?(?P<party>[A-Z0-9]{3})-?[A-Z0-9]{9}(-?[A-Z0-9])?", re.IGNORECASE
)
"""ISO 15118-2, annex H: country, provider, instance and, if it likes, a check digit."""


def names_of(token_type: str) -> list[str]:
    """What eMSPs may call a token of this type: its own name first."""
    return list(dict.fromkeys((token_type, INNER_VERSION.token_type(token_type))))


def is_said_as(said: object, token_type: str) -> bool:
    """Whether an eMSP may have said this of a token of that type."""
    return said in names_of(token_type)


def issuer_of(uid: str, token_type: str) -> str | None:
    """The (folded) party that an EMAID names as its issuer: nobody has to tell us of such a token
    for us to know whom to ask (2.3.0, mod_tokens, TokenType). None for all other tokens."""
    found = _EMAID.fullmatch(uid) if token_type == EMAID else None
    return None if found is None else party_key(found["country"], found["party"])
