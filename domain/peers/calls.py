"""Registrations that we make with a platform, from before it is called until its answer is stored:
what a process that dies in between leaves to the next one. A part of the peer's document; tokens
in it are sealed.

    kept -> (the platform is called) -> answered -> gone: the peer is connected, or removed

Whoever works on one has it for TURN_S, by the database's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.secrets import Vault

TURN_S = 660.0
"""Longer than the requests of one take at the longest CPO_PEER_TIMEOUT_S: nobody is overtaken."""
GIVEN_UP_AFTER = timedelta(hours=1)


class CallDocument(TypedDict, total=False):
    versions_url: str
    token_a: bytes
    token_b: bytes
    since: datetime
    until: datetime
    """whose turn it is, has it until then"""
    credentials_url: str
    """what follows is there once the platform has answered"""
    their_token: bytes
    theirs: JsonObject
    """its credentials without the token, as inner ones"""
    version: str
    """the OCPI version in which it answered"""


@dataclass(frozen=True)
class Call:
    """One that was broken off. `theirs`: the platform's credentials, if it has answered."""

    peer_id: str
    versions_url: str
    token_a: str
    token_b: str
    since: datetime
    credentials_url: str = ""
    theirs: JsonObject | None = None
    version: str | None = None


def kept(
    vault: Vault, versions_url: str, token_a: str, token_b: str, now: datetime
) -> CallDocument:
    return {
        "versions_url": versions_url,
        "token_a": vault.seal(token_a),
        "token_b": vault.seal(token_b),
        "since": now,
        "until": now + timedelta(seconds=TURN_S),
    }


def opened(vault: Vault, peer_id: str, call: CallDocument) -> Call:
    """Raises SecretUnusable when the key has changed."""
    theirs: JsonObject | None = None
    if "their_token" in call:
        theirs = {**call["theirs"], "token": vault.open(call["their_token"])}
    return Call(
        peer_id,
        call["versions_url"],
        vault.open(call["token_a"]),
        vault.open(call["token_b"]),
        call["since"],
        call.get("credentials_url", ""),
        theirs,
        call.get("version"),
    )


def answer(vault: Vault, credentials_url: str, theirs: JsonObject, version: str) -> JsonObject:
    """The fields of the document that keep the platform's answer."""
    without = {name: value for name, value in theirs.items() if name != "token"}
    return {
        "call.credentials_url": credentials_url,
        "call.their_token": vault.seal(theirs["token"]),
        "call.theirs": without,
        "call.version": version,
    }


def given_up(db: Database, call: Call) -> bool:
    return db.now() - call.since > GIVEN_UP_AFTER
