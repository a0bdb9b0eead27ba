"""What a registration record says after each operation, and who is entitled to which. Pure: the
document's shape and rules, without the store.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.owned_objects import fold
from domain.charge_points.site_keys import OwnParty, site_key
from domain.sites import site_id_of

REGISTERED = "REGISTERED"
DEREGISTERED = "DEREGISTERED"
STATUSES = (REGISTERED, DEREGISTERED)
HISTORY_LENGTH = 50
REPEATABLE_FOR = timedelta(days=1)
"""For so long a registration whose answer was lost may be asked for again."""
_ENGINE_ADDRESS = frozenset({"cp_e_host", "cp_e_port"})
_NO_HASH = "0" * 64
"""Compared against for an unknown id, so that it takes the steps of a known one."""

Metadata = dict[str, object]
"""Whatever a charge point's operator wrote: read without trust (domain.sites)."""


class HistoryEntry(TypedDict):
    at: datetime
    event: str
    by: str


class Offer(TypedDict):
    """Whether a charge point is offered over OCPI, and what stands in the way."""

    offered: bool
    reasons: list[str]
    warnings: list[str]
    location_id: str | None


class AskedWith(TypedDict):
    """The key that a charge point had on its disk before it asked for its credentials."""

    key_hash: str
    at: datetime


class Record(TypedDict, total=False):
    """A document of `registrations`. Complete as stored; some readers ask for less."""

    _id: str
    """cp_id as it was first written"""
    folded_id: str
    """the same folded: "cp-001" and "CP-001" are one charge point"""
    location: str
    metadata: Metadata
    """as registered; it is internal (see domain.sites)"""
    status: str
    """REGISTERED or DEREGISTERED"""
    credentials_hash: str
    """keyed hash, kept after deregistration so that only the right secret learns of it"""
    asked_with: AskedWith | None
    """of its present credentials, until they are first used: who shows that key again has never
    got them, and is given others"""
    token_version: int
    """raised by every registration and deregistration: outdates tokens"""
    certificate_pem: str | None
    """for the operator to look at; proves nothing"""
    certificate_fingerprint: str | None
    """SHA-256 of the client certificate that it registered with, and has to show ever after"""
    party: OwnParty | None
    """whose charge point it is; None: the first of our parties'"""
    site_id: str
    """which site it belongs to (site_keys.py)"""
    site_waiting: bool
    """the site is another's, and nobody has said yes (domain.sites.membership)"""
    site_guest: bool
    """it came to a site that was another's"""
    station: str
    """the OCPP station whose EVSE it is (domain/ocpp/stations.py); absent: it is no OCPP one"""
    by_operator: bool
    """its present location and metadata are the operator's word"""
    ocpi: Offer | None
    registered_seq: int
    """order of creation"""
    registration_date: datetime
    updated_at: datetime
    last_authenticated: datetime | None
    history: list[HistoryEntry]
    """what happened when, the last HISTORY_LENGTH entries"""


class NotEntitled(Exception):
    """The caller showed nothing that allows this; the same for unknown and known ids."""


class PartyIsFixed(Exception):
    """A known charge point names another party of ours: that is the operator's to say."""


class NotRegistered(Exception):
    """There is no such charge point."""

    def __str__(self) -> str:
        return "there is no such charge point"


class WrongCertificate(Exception):
    """The right credentials, but not with the client certificate that they belong to."""


class NotBound(Exception):
    """The right credentials of a charge point that registered without a client certificate."""


class IsDeregistered(Exception):
    """The right credentials of a charge point that was deregistered."""


@dataclass(frozen=True)
class NamedParty:
    """A party of ours that a registration names. `party`: None is the first."""

    party: OwnParty | None


@dataclass(frozen=True)
class Application:
    """What a charge point registers with. None: keep what an earlier registration said."""

    cp_id: str
    location: str
    metadata: Metadata | None = None
    certificate_pem: str | None = None
    certificate_fingerprint: str | None = None
    """of the client certificate whose key it has proven to hold"""
    party: NamedParty | None = None
    station: str | None = None
    """the OCPP station whose EVSE it is"""


@dataclass(frozen=True)
class Proof:
    """What the caller of a change showed; the empty proof shows nothing.

    digests: the keyed hashes of the credentials, one per key in use.
    enrolment: the hash of an enrolment token (enrolments.py).
    key: the keyed hashes of the idempotency key that the request came with.
    A bearer token is no proof here: it travels with every message.
    """

    admin: bool = False
    digests: tuple[str, ...] = field(default=(), repr=False)
    enrolment: str | None = field(default=None, repr=False)
    key: tuple[str, ...] = field(default=(), repr=False)

    def by(self) -> str:
        """Who it was, for the history."""
        if self.admin:
            return "admin"
        if self.enrolment is not None:
            return "enrolment"
        return "charge point" if self.digests else "anyone"


@dataclass(frozen=True)
class Registration:
    record: Record
    is_new: bool


def check(
    known: Record | None,
    proof: Proof,
    open_to_new: bool,
    *,
    enrolled: bool = False,
    repeated: bool = False,
    shown: str | None = None,
) -> None:
    """Raise NotEntitled unless the proof allows to register what is `known` so far, and
    WrongCertificate where it is bound to a client certificate other than the one `shown`.

    `enrolled`: it showed the enrolment token that the operator made for this id. `repeated`: it
    asks once more for what it was given and never got (`repeats`).
    """
    if proof.admin or enrolled:
        return
    if known is None:
        if not open_to_new:
            raise NotEntitled
        return
    if not (repeated or matches(known, proof.digests)) or known["status"] != REGISTERED:
        raise NotEntitled
    check_certificate(known, shown)


def repeats(
    known: Record | None, proof: Proof, now: datetime, arrived: datetime | None
) -> AskedWith | None:
    """The request that this one repeats because its answer was lost: the same key, within
    REPEATABLE_FOR, and nothing has used what was answered. `arrived`: when the charge point was
    let in by EV_Central last. Its key is as good as the credentials until they are first used,
    and good for nothing afterwards.
    """
    asked = None if known is None else known.get("asked_with")
    if asked is None or now - asked["at"] > REPEATABLE_FOR:
        return None
    if arrived is not None and arrived >= asked["at"]:
        return None
    right = [hmac.compare_digest(asked["key_hash"], digest) for digest in proof.key]
    return asked if any(right) else None


def check_certificate(record: Record, shown: str | None) -> None:
    """Raise WrongCertificate where the record is bound to another client certificate.

    `shown`: the fingerprint of the one whose key the caller proved to hold. A new certificate
    takes the operator's word: the admin key, or an enrolment token.
    """
    bound = record.get("certificate_fingerprint")
    if bound is not None and (shown is None or not hmac.compare_digest(bound, shown)):
        raise WrongCertificate


def check_party(known: Record | None, named: NamedParty | None, by_operator: bool) -> None:
    """Raise PartyIsFixed where a known charge point would become another party's."""
    if known is None or named is None or by_operator:
        return
    if _party_key(known.get("party")) != _party_key(named.party):
        raise PartyIsFixed


def _party_key(party: OwnParty | None) -> str:
    return site_key("", party)


def registered(
    known: Record | None,
    application: Application,
    proof: Proof,
    credentials_hash: str,
    now: datetime,
    repeated: AskedWith | None = None,
) -> Record:
    """The whole record after the registration; `known` is the one before. `repeated`: the request
    that this one repeats."""
    asked: AskedWith | None = {"key_hash": proof.key[0], "at": now} if proof.key else None
    event = "registered again" if known else "registered"
    before: Record = known or {
        "_id": application.cp_id,
        "folded_id": fold(application.cp_id),
        "metadata": {},
        "certificate_pem": None,
        "token_version": 0,
        "registration_date": now,
        "last_authenticated": now,
        "ocpi": None,
        "history": [],
    }
    metadata = _metadata_after(before["metadata"], application.metadata)
    named, present = application.party, before.get("party")
    party = present if named is None else named.party
    of_station: Record = {} if application.station is None else {"station": application.station}
    return {
        **before,
        **of_station,
        "location": application.location,
        "metadata": metadata,
        "certificate_pem": application.certificate_pem or before["certificate_pem"],
        "certificate_fingerprint": application.certificate_fingerprint
        or before.get("certificate_fingerprint"),
        "status": REGISTERED,
        "by_operator": proof.admin,
        "credentials_hash": credentials_hash,
        "asked_with": repeated or asked,
        "token_version": before["token_version"] + 1,
        "updated_at": now,
        "history": history_with(before, "answered again" if repeated else event, proof, now),
        "party": party,
        "site_id": site_key(site_id_of({"cp_id": before["_id"], "metadata": metadata}), party),
    }


def _metadata_after(before: Metadata, given: Metadata | None) -> Metadata:
    if given is None:
        return before
    # A monitor without metadata of its own says where its engine is, and takes nothing away.
    only_address = bool(given) and given.keys() <= _ENGINE_ADDRESS
    return {**before, **given} if only_address else given


def history_with(record: Record, event: str, proof: Proof, now: datetime) -> list[HistoryEntry]:
    """The record's history with one entry more, bounded."""
    entry: HistoryEntry = {"at": now, "event": event, "by": proof.by()}
    return [*record["history"], entry][-HISTORY_LENGTH:]


def matches(record: Record | None, digests: tuple[str, ...]) -> bool:
    """Whether one of the hashes is the record's, compared in constant time."""
    kept = _NO_HASH if record is None else record["credentials_hash"]
    right = [hmac.compare_digest(kept, digest) for digest in digests]
    return record is not None and any(right)
