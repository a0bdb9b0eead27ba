"""The document of a charging session, as `charging_sessions` keeps it (session_records)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from domain.objects import OcpiObject
from domain.sessions.session_segments import Segment


class Unbilled(TypedDict):
    """What came to light when it was too late for the CDR."""

    energy_wh: float
    at: datetime
    why: str


class Suspicion(TypedDict):
    """Since when, and why, nobody can say how the session goes on."""

    since: datetime
    why: str


class Hold(TypedDict):
    """Why a session is neither pushed nor billed before the operator has looked at it."""

    since: datetime
    why: str


class Measured(TypedDict):
    """What the charge point had told of a session, before it was closed by hand."""

    energy_wh: float
    last_at: datetime
    segments: list[Segment]


class ByHand(TypedDict):
    """What an operator did to a session."""

    by: str
    at: datetime
    what: str


class ProfileInForce(TypedDict):
    """A ChargingProfile that the charge point obeys, and the peer that has set it."""

    peer_id: str
    charging_profile: OcpiObject
    set_at: datetime


class PlannedSpan(TypedDict):
    start: datetime
    end: datetime


class ChargingPlan(TypedDict):
    """When a driver's preferences let the car charge (charging_plans)."""

    spans: list[PlannedSpan]
    until: datetime
    """the departure"""
    drawn_w: float | None
    """what the car drew when it was seen to charge last"""
    charging_profile: OcpiObject
    look_at: datetime
    """when it is held against what has become of it"""


class ProfileListener(TypedDict):
    """A peer that hears of changes of the ActiveChargingProfile: as a command's delivery has it."""

    peer_id: str
    from_party: list[str]
    to_party: list[str]
    correlation_id: str | None


class SignatureCheck(TypedDict):
    """What came of the check of its meter's signature. `reason`: why it is not verified;
    `problem`: why the signed energy is not the one that the charge point told."""

    verdict: str
    reason: str | None
    problem: str | None


class ChargingSession(TypedDict, total=False):
    """A whole document has everything from `_id` to `segments`; also what is changed in one."""

    _id: str
    """Session.id"""
    status: str
    """session_states.Status"""
    running: bool
    """Holds its connector: at most one per connector (unique index)."""
    cp_id: str
    connector_id: str
    evse_uid: str
    location_id: str
    country_code: str
    party_id: str
    operator: str
    """The name of the Location's operator."""
    token: dict[str, Any]
    """The cdr_token's fields, and group_id."""
    audience: str
    """Of whoever holds the token's party at the start (peers/claims.py)."""
    auth_method: str
    authorization_reference: str | None
    source: str
    """remote, local"""
    peer_id: str | None
    command_id: str | None
    reservation_id: str | None
    # Of the start, as they were then:
    tariffs: list[OcpiObject]
    time_zone: str
    currency: str
    capabilities: list[str]
    max_power_w: int | None
    cdr_location: OcpiObject
    meter_id: str | None
    created: datetime
    started: datetime | None
    ended: datetime | None
    last_heard: datetime
    """By the database's clock."""
    last_at: datetime
    """Of its latest meter value, by the charge point's clock."""
    energy_wh: float
    segments: list[Segment]

    published_at: datetime
    """When the Session object was last brought up to date."""
    samples: bytes
    """How its energy grew until then (power_samples.py): for its power curve."""
    end_reason: str
    reservation_over: str
    """The reservation ended, or `expired`, while its driver was just starting."""
    reservation_over_at: datetime
    reservation_expired: bool
    register_start_wh: float | None
    register_end_wh: float
    """The register's reading when it ended, if its charge point told it."""
    power_w: float | None
    soc: float | None
    preferences: OcpiObject
    """ChargingPreferences that were accepted."""
    plan: ChargingPlan
    """What its charge point obeys because of them, unless a `profile` stands."""
    signed_data: OcpiObject
    signature: SignatureCheck
    profile: ProfileInForce
    limit_due: datetime
    """When its charge point is to be told more of the profile, or plan, that it obeys: it took no
    more of it at once."""
    profile_peers: Mapping[str, ProfileListener]
    """Everyone that has ever set a profile on it, by peer_id."""
    cdr_problem: str | None
    """Why there is no CDR, should its price not be told."""
    unbilled: Unbilled | None
    held: Hold | None
    power_bound_w: int | None
    """More than this its connector cannot give."""
    flows_since: datetime | None
    """Where the charge point did not tell when it began: not before this."""
    suspect: Suspicion | None
    """It holds its connector no longer; its charge point's word closes it whenever it comes."""
    estimated: bool
    """Closed by us on what was measured: nothing was heard of it for days."""
    closed: str | None
    """session_states.Closed, of a session that is over."""
    frozen: bool
    """Its Session object was COMPLETED once, and is not modified any more (mod_sessions)."""
    measured: Measured | None
    by_hand: list[ByHand]
    """What operators did to it, the latest last."""
    trimmed: datetime
    """Since then the details are gone (session_trimming): nothing can change it any more."""
    undone: bool
    """Its eMSP was told that nothing started: it must not charge, should it begin after all."""
    to_stop: bool | None
    """It charges and must not: the charge point is to be told."""
