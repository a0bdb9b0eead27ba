"""Values as people write them, read in one place for all actions."""

from __future__ import annotations

import re

from cpo_app.actions.action import Refused
from domain.peers.terms import BadTerms, party_in

_BETWEEN = re.compile(r"[\s,;]+")


def words(value: object) -> object:
    """For a list: a text of words, parted by spaces or commas; anything else as it is."""
    if isinstance(value, str):
        return [word for word in _BETWEEN.split(value) if word]
    return value


def party_key(text: str) -> str:
    """NL/TNM as a folded key. Raises Refused."""
    try:
        return party_in(text)
    except BadTerms as error:
        raise Refused(422, str(error)) from None


def party_pair(text: str | None) -> tuple[str, str] | None:
    """NL/EVC as a pair in capitals; None for none. Raises Refused."""
    if not text:
        return None
    country_code, _, party_id = party_key(text).upper().partition("*")
    return country_code, party_id
