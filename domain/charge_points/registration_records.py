"""What a registration record says after each operation, and who is entitled to which. Pure: the
document's shape and rules, without the store.

A document of `registrations`:
    _id                  cp_id as it was first written
    folded_id            the same folded: "cp-001" and "CP-001" are one charge point
    location, metadata   as registered; metadata stays in the house (see domain.sites)
    status               "REGISTERED" or "DEREGISTERED"
    credentials_hash     keyed hash, kept after deregistration so that only the right secret
                         learns of it
    token_version        raised by every registration and deregistration: outdates tokens
    certificate_pem      or None
    site_id, ocpi        which site it belongs to, and whether that is offered over OCPI
    registered_seq       order of creation
    registration_date, updated_at, last_authenticated
    history              what happened when, the last HISTORY_LENGTH entries
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from db_interface.owned_objects import fold
from domain.sites import site_id_of

REGISTERED = "REGISTERED"
DEREGISTERED = "DEREGISTERED"
STATUSES = (REGISTERED, DEREGISTERED)
HISTORY_LENGTH = 50
_NO_HASH = "0" * 64
"""Compared against for an unknown id, so that it takes the steps of a known one."""

Record = dict[str, Any]


class NotEntitled(Exception):
    """The caller showed nothing that allows this; the same for unknown and known ids."""


class NotRegistered(Exception):
    """There is no such charge point."""


class IsDeregistered(Exception):
    """The right credentials of a charge point that was deregistered."""


@dataclass(frozen=True)
class Application:
    """What a charge point registers with. None: keep what an earlier registration said."""

    cp_id: str
    location: str
    metadata: dict[str, Any] | None = None
    certificate_pem: str | None = None


@dataclass(frozen=True)
class Proof:
    """What the caller of a change showed; the empty proof shows nothing.

    digests: the keyed hashes of the credentials, one per key in use.
    token_version: out of a verified token of this same charge point.
    """

    admin: bool = False
    digests: tuple[str, ...] = field(default=(), repr=False)
    token_version: int | None = None

    def by(self) -> str:
        """Who it was, for the history."""
        if self.admin:
            return "admin"
        return "charge point" if self.digests or self.token_version is not None else "anyone"


@dataclass(frozen=True)
class Registration:
    record: Record
    is_new: bool


def check(known: Record | None, proof: Proof, open_to_new: bool) -> None:
    """Raise NotEntitled unless the proof allows to register what is `known` so far."""
    if proof.admin:
        return
    if known is None:
        if not open_to_new:
            raise NotEntitled
        return
    if not matches(known, proof.digests) or known["status"] != REGISTERED:
        raise NotEntitled


def registered(
    known: Record | None,
    application: Application,
    proof: Proof,
    credentials_hash: str,
    now: datetime,
) -> Record:
    """The whole record after the registration; `known` is the one before."""
    before: Record = known or {
        "_id": application.cp_id,
        "folded_id": fold(application.cp_id),
        "metadata": {},
        "certificate_pem": None,
        "token_version": 0,
        "registration_date": now,
        "last_authenticated": None,
        "ocpi": None,
        "history": [],
    }
    record = {
        **before,
        "location": application.location,
        "metadata": (before["metadata"] if application.metadata is None else application.metadata),
        "certificate_pem": application.certificate_pem or before["certificate_pem"],
        "status": REGISTERED,
        "credentials_hash": credentials_hash,
        "token_version": before["token_version"] + 1,
        "updated_at": now,
        "history": history_with(before, "registered again" if known else "registered", proof, now),
    }
    record["site_id"] = fold(site_id_of({**record, "cp_id": record["_id"]}))
    return record


def history_with(record: Record, event: str, proof: Proof, now: datetime) -> list[dict[str, Any]]:
    """The record's history with one entry more, bounded."""
    return [*record["history"], {"at": now, "event": event, "by": proof.by()}][-HISTORY_LENGTH:]


def matches(record: Record | None, digests: tuple[str, ...]) -> bool:
    """Whether one of the hashes is the record's, compared in constant time."""
    kept = _NO_HASH if record is None else record["credentials_hash"]
    right = [hmac.compare_digest(kept, digest) for digest in digests]
    return record is not None and any(right)
