"""What can happen to a charge point at Central, and which facts each event changes. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from domain.charge_points.charge_point_documents import (
    Boot,
    ChargePoint,
    Connector,
    Fault,
    Reading,
)
from domain.charge_points.engine_clocks import EngineClock
from domain.charge_points.evse_states import (
    PRESENCE,
    ConnectorState,
    Facts,
    Presence,
    Sign,
    deciding,
)

Changes = ChargePoint
"""The facts that an event sets, of all those of the document."""

BOOTS_KEPT = 8
MAX_CONNECTORS = 32
BROKEN_ENGINE = frozenset({"FAULTED", "UNREACHABLE"})


class Event(Protocol):
    @property
    def why(self) -> str:
        """For the status history, should the status change."""

    def changes(self, before: ChargePoint, now: datetime) -> Changes | None:
        """The facts that are to be set; None when the event no longer means anything."""


def engine_is_to_be_told(document: ChargePoint) -> bool:
    """Whether the engine may not know what the operator wants of it; telling twice is harmless."""
    operative = document["operative"]
    told = document["operative_told"]
    if (True if told is None else told) != operative:
        return True
    # Two changes in quick succession may have reached it in the wrong order.
    states = {connector["state"] for connector in document["connectors"]}
    return (ConnectorState.INOPERATIVE if operative else ConnectorState.AVAILABLE).value in states


def never_seen(cp_id: str) -> Changes:
    """The facts of a charge point before anything happened to it."""
    return {
        "_id": cp_id,
        "presence": Presence.NEVER_SEEN.value,
        "operative": True,
        "operative_told": None,
        "faults": [],
        "connectors": [],
        "heartbeat_due": None,
        "reservation_id": None,
        "session_id": None,
        "boots": [],
    }


def facts_of(document: ChargePoint, *, registered: bool) -> Facts:
    """The facts that the status depends on, out of a document."""
    connectors = document["connectors"]
    return Facts(
        registered=registered,
        operative=document["operative"],
        presence=Presence(document["presence"]),
        faulty=bool(document["faults"]) or document.get("engine_state") in BROKEN_ENGINE,
        connector=deciding(ConnectorState(c["state"]) for c in connectors),
        plugged=any(c["ev_state"] == "plugged" for c in connectors),
        reserved=document["reservation_id"] is not None,
    )


@dataclass(frozen=True)
class Registered:
    """The monitor registered at Central. `new_key` (sealed) is taken for a new host or
    `fingerprint` (of the engine's certificate; None: it speaks plain HTTP), or when
    `renew_key` says that the kept one is of no use any more."""

    host: str
    port: int
    new_key: bytes
    interval_s: float
    missed: int
    renew_key: bool = False
    fingerprint: str | None = None
    why: str = "registered at Central"

    def changes(self, before: ChargePoint, now: datetime) -> Changes:
        changes = _heard(before, self.interval_s, self.missed, now)
        changes.update({"host": self.host, "port": self.port, "registered_at": now})
        changes["engine_fingerprint"] = self.fingerprint
        another = (
            before.get("host") != self.host
            or before.get("engine_fingerprint") != self.fingerprint
            or not before.get("command_key")
        )
        if self.renew_key or another:
            # Another host or certificate is another engine: it is told nothing, knows no key.
            changes.update({"command_key": self.new_key, "operative_told": None})
        return changes


@dataclass(frozen=True)
class Heartbeat:
    """The monitor's report: it lives, and what it sees of its engine."""

    interval_s: float
    missed: int
    engine_state: str | None = None
    faults: Sequence[Fault] = ()

    @property
    def why(self) -> str:
        if self.faults:
            return "fault: " + ", ".join(fault["code"] for fault in self.faults)
        return "heartbeat"

    def is_news(self, before: ChargePoint) -> bool:
        """Whether it says more than that the monitor lives, as before."""
        return (
            before["presence"] != Presence.ONLINE.value
            or before["heartbeat_due"] is None
            or before.get("heartbeat_interval_s") != self.interval_s
            or before.get("silence_s") != self.interval_s * self.missed
            or before.get("engine_state") != self.engine_state
            or before["faults"] != list(self.faults)
        )

    def changes(self, before: ChargePoint, now: datetime) -> Changes:
        return {
            "engine_state": self.engine_state,
            "faults": list(self.faults),
            **_heard(before, self.interval_s, self.missed, now),
        }


@dataclass(frozen=True)
class Missed:
    """The heartbeats up to `due` did not come; means nothing once one came after all."""

    due: datetime
    why: str = "monitor silent"

    def changes(self, before: ChargePoint, now: datetime) -> Changes | None:
        if before["heartbeat_due"] is None or before["heartbeat_due"] != self.due:
            return None
        if before["heartbeat_due"] > now:
            return None
        presence = PRESENCE[Presence(before["presence"])][Sign.MISSED]
        return {"presence": presence.value, "heartbeat_due": None}


@dataclass(frozen=True)
class StateReported:
    """The engine's report of one connector."""

    connector_id: str
    state: ConnectorState
    ev_state: str
    at: datetime
    error_code: str | None = None
    session_id: str | None = None

    @property
    def why(self) -> str:
        code = f" ({self.error_code})" if self.error_code else ""
        return f"connector {self.connector_id} {self.state.value}{code}"

    def changes(self, before: ChargePoint, now: datetime) -> Changes | None:
        connectors = {c["id"]: c for c in before["connectors"]}
        if self.connector_id not in connectors and len(connectors) >= MAX_CONNECTORS:
            return None
        reported: Connector = {
            "id": self.connector_id,
            "state": self.state.value,
            "ev_state": self.ev_state,
            "error_code": self.error_code,
            "session_id": self.session_id,
            "at": self.at,
        }
        known = connectors.get(self.connector_id)
        connectors[self.connector_id] = reported if known is None else {**known, **reported}
        return {"connectors": list(connectors.values())}


@dataclass(frozen=True)
class TelemetryTaken:
    """Telemetry of `boot_id` is taken up to `seq`; `meters` are the last values by connector."""

    boot_id: str
    seq: int
    meters: Mapping[str, Reading] = field(default_factory=dict)
    clock: EngineClock | None = None
    why: str = "telemetry"

    def changes(self, before: ChargePoint, now: datetime) -> Changes:
        boots: list[Boot] = [{**boot} for boot in before["boots"]]
        known = next((boot for boot in boots if boot["boot_id"] == self.boot_id), None)
        changes: Changes = {"telemetry_at": now}
        if self.clock is not None:
            changes["clock"] = self.clock
        if known is None:
            boots.append({"boot_id": self.boot_id, "seq": self.seq})
            changes["operative_told"] = None
        else:
            known["seq"] = max(known["seq"], self.seq)
        boots = boots[-BOOTS_KEPT:]
        newest = boots[-1]
        changes.update({"boots": boots, "boot_id": newest["boot_id"], "acked_seq": newest["seq"]})
        if self.meters:
            changes["connectors"] = _metered(before, self.meters)
        return changes


@dataclass(frozen=True)
class NewsTaken:
    """Telemetry is taken that bears no numbers; `meters` are the last values by connector."""

    meters: Mapping[str, Reading] = field(default_factory=dict)
    clock: EngineClock | None = None
    why: str = "telemetry"

    def changes(self, before: ChargePoint, now: datetime) -> Changes:
        changes: Changes = {"telemetry_at": now}
        if self.clock is not None:
            changes["clock"] = self.clock
        if self.meters:
            changes["connectors"] = _metered(before, self.meters)
        return changes


@dataclass(frozen=True)
class OperativeSet:
    """The operator takes the charge point out of service, or puts it back."""

    operative: bool

    @property
    def why(self) -> str:
        return "operator: back in service" if self.operative else "operator: out of service"

    def changes(self, before: ChargePoint, now: datetime) -> Changes:
        return {"operative": self.operative}


@dataclass(frozen=True)
class OperativeTold:
    """The engine accepted what the operator wants of it."""

    operative: bool
    why: str = "engine told"

    def changes(self, before: ChargePoint, now: datetime) -> Changes:
        return {"operative_told": self.operative}


@dataclass(frozen=True)
class ReservationSet:
    """A reservation holds the EVSE, or (None) no longer."""

    reservation_id: str | None

    @property
    def why(self) -> str:
        return "reservation ended" if self.reservation_id is None else "reserved"

    def changes(self, before: ChargePoint, now: datetime) -> Changes:
        return {"reservation_id": self.reservation_id}


@dataclass(frozen=True)
class SessionSet:
    """The session that runs (or waits for its car) on the charge point, or None."""

    session_id: str | None
    why: str = "session"

    def changes(self, before: ChargePoint, now: datetime) -> Changes:
        return {"session_id": self.session_id}


@dataclass(frozen=True)
class RegistrationChanged:
    """EV_Registry registered or deregistered it: the status is to be recalculated."""

    why: str = "EV_Registry"

    def changes(self, before: ChargePoint, now: datetime) -> Changes:
        return {}


def _metered(before: ChargePoint, meters: Mapping[str, Reading]) -> list[Connector]:
    return [
        {**c, "meter": meters[c["id"]]} if c["id"] in meters else c for c in before["connectors"]
    ]


def _heard(before: ChargePoint, interval_s: float, missed: int, now: datetime) -> Changes:
    silence_s = interval_s * missed
    return {
        "presence": PRESENCE[Presence(before["presence"])][Sign.HEARD].value,
        "last_seen": now,
        "heartbeat_interval_s": interval_s,
        "silence_s": silence_s,
        "heartbeat_due": now + timedelta(seconds=silence_s),
    }
