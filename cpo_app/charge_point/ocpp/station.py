"""One simulated OCPP charge point: its EVSEs, and what a central system may ask of it.

Everything here is said without a version: v16 and v201 turn it into their words. What happens at
an EVSE becomes a numbered message in the journal; keeping.py brings it to the central system.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from cpo_app.charge_point.clock import Clock
from cpo_app.charge_point.evse import Evse, EvseConfig, Result
from cpo_app.charge_point.journal import Message
from cpo_app.charge_point.ocpp.configuration import Configuration, Set, Variable
from cpo_app.charge_point.ocpp.limits import Stack, StackedProfile
from cpo_app.charge_point.ocpp.local_list import LocalList
from cpo_app.charge_point.power import Car, Supply
from cpo_app.charge_point.profile import active_profile
from cpo_app.charge_point.recorder import Kept, Recorder
from cpo_app.charge_point.session import Reservation
from cpo_app.charge_point.signing import MeterSigner
from cpo_app.charge_point.states import IN_SESSION, State
from cpo_app.charge_point.timeline import Timeline
from db_interface.json_data import JsonObject

logger = logging.getLogger(__name__)


class Store(Kept, Protocol):
    """journal.Journal, or memory.MemoryJournal."""

    def close(self) -> None: ...
    def state(self) -> JsonObject | None: ...
    def waiting(self) -> int: ...
    def batch(self, limit: int) -> tuple[str, list[Message]] | None: ...
    def acknowledge(self, boot_id: str, seq: int) -> int: ...


@dataclass(frozen=True)
class Hardware:
    """What a charge point is; each of its EVSEs is the same."""

    supply: Supply
    car: Car
    evses: int = 1
    vendor: str = "OCPI CPO backend"
    model: str = "Simulated"
    firmware: str = "1.0.0"
    auto_plug: bool = True
    auto_unplug_after_s: float = 3.0
    stop_when_full: bool = False
    speed: float = 1.0


@dataclass
class Place:
    """One EVSE, and what is known of its session beside what the EVSE knows."""

    number: int
    evse: Evse
    facts: dict[str, Any] = field(default_factory=dict)
    """Of the session there: remote_start_id, reservation_id, group, stopped_by."""
    sampled_at: float = 0.0
    reserved_for_group: str | None = None


class Station:
    """`on_new` is called when there is something to say."""

    def __init__(
        self,
        station_id: str,
        hardware: Hardware,
        store: Store,
        clock: Clock,
        signer_of: Callable[[Timeline], MeterSigner | None] = lambda _: None,
    ) -> None:
        self.station_id = station_id
        self.hardware = hardware
        self.clock = clock
        self.store = store
        self.on_new: Callable[[], None] = lambda: None
        memory = store.state() or {}
        going_on = store.waiting() or any(
            one.get("session") for one in memory.get("evses", {}).values()
        )
        self.timeline = Timeline(clock, memory.get("timeline") if going_on else None)
        self.recorder = Recorder(store, self.timeline, lambda: self.on_new())
        self.configuration = Configuration(dict(memory.get("configuration", {})))
        self.local_list = LocalList.of(memory.get("local_list"))
        self.new_password: str | None = None
        """Set by the central system, for the next connection."""
        self.stack = Stack()
        self._profiles_are_due = False
        self.firmware = memory.get("firmware", hardware.firmware)
        self.known: dict[str, JsonObject] = dict(memory.get("known", {}))
        """What a version has to remember of each session: its transaction's id, its next number."""
        signer = signer_of(self.timeline)
        self.places = {
            number: self._place(number, memory, signer) for number in range(1, hardware.evses + 1)
        }

    def _place(self, number: int, memory: JsonObject, signer: MeterSigner | None) -> Place:
        there = memory.get("evses", {}).get(str(number))
        place = Place(number, self._new_evse(number, signer))
        if there is not None:
            try:
                place.evse.restore(there)
                place.facts = dict(there.get("facts", {}))
            except (KeyError, TypeError, ValueError):
                logger.exception("the state kept for %s is unusable", self.station_id)
                place = Place(number, self._new_evse(number, signer))
        return place

    def _new_evse(self, number: int, signer: MeterSigner | None) -> Evse:
        hardware = self.hardware
        evse = Evse(
            hardware.supply,
            EvseConfig(
                new_car=hardware.car,
                auto_plug=hardware.auto_plug,
                auto_unplug_after_s=hardware.auto_unplug_after_s,
                plug_timeout_s=self.configuration.number("ConnectionTimeOut"),
                stop_when_full=hardware.stop_when_full,
            ),
            self.clock,
            partial(self._emit, number),
            signer,
        )
        evse.set_speed(hardware.speed)
        return evse

    # --- what happens here --------------------------------------------------------------------

    def tick(self) -> bool:
        """Meters, deadlines. Whether anything goes on that needs the next tick."""
        for place in self.places.values():
            place.evse.tick()
        self.keep()
        return any(place.evse.busy for place in self.places.values())

    def keep(self) -> bool:
        """Write down what has happened; False where the disk refuses."""
        if self._profiles_are_due:
            self._profiles_are_due = False
            self.follow_profiles()
        return self.recorder.commit(self.as_dict())

    def as_dict(self) -> JsonObject:
        return {
            "evses": {
                str(place.number): {**place.evse.as_dict(), "facts": place.facts}
                for place in self.places.values()
            },
            "configuration": self.configuration.values,
            "local_list": self.local_list.as_dict(),
            "firmware": self.firmware,
            "known": self.known,
        }

    def said(self, message: Message) -> None:
        """The central system has it: forgotten, with what has come of it, in one write."""
        if message["kind"] == "session_stopped":
            self.known.pop(message["session_id"], None)
        self.keep()
        batch = self.store.batch(1)
        if batch is not None:
            try:
                self.store.acknowledge(batch[0], message["seq"])
            except sqlite3.Error:
                logger.exception("%s: the disk refuses; it will be said again", self.station_id)

    def place_of(self, session_id: str) -> Place | None:
        for place in self.places.values():
            if place.evse.session is not None and place.evse.session.session_id == session_id:
                return place
        return None

    # --- what the central system asks for -----------------------------------------------------

    def start(
        self,
        place: Place,
        session_id: str,
        source: str,
        id_tag: str,
        group: str | None = None,
        **facts: object,
    ) -> Result:
        """Start at this EVSE; `facts` come back with the start's message."""
        evse, reservation = place.evse, place.evse.reservation
        reservation_id = None
        if reservation is not None:
            in_group = group is not None and group == place.reserved_for_group
            if in_group or reservation.admits(id_tag, None):
                reservation_id = reservation.reservation_id
        before = place.facts
        place.facts = {name: fact for name, fact in facts.items() if fact is not None}
        if reservation_id is not None:
            place.facts["reservation_id"] = int(reservation_id)
        if group is not None:
            place.facts["group"] = group
        result = evse.start(session_id, source, id_tag=id_tag, reservation_id=reservation_id)
        if result is not Result.ACCEPTED:
            place.facts = before
        return result

    def free_place(self) -> Place | None:
        """Where a start without an EVSE goes: a car that waits first, then anything free."""
        free = [place for place in self.places.values() if place.evse.session is None]
        free = [place for place in free if not place.evse.faults and place.evse.operative]
        free.sort(key=lambda place: (place.evse.reservation is not None, place.evse.car is None))
        return free[0] if free else None

    def reserve(self, place: Place | None, reservation: Reservation, group: str | None) -> Result:
        """None: any EVSE, the first that takes it."""
        result = Result.REJECTED
        for one in [place] if place else list(self.places.values()):
            result = one.evse.reserve(reservation)
            if result is Result.ACCEPTED:
                one.reserved_for_group = group
                return result
        return result

    def cancel_reservation(self, reservation_id: str) -> bool:
        results = [p.evse.cancel_reservation(reservation_id) for p in self.places.values()]
        return Result.ACCEPTED in results

    def set_operative(self, place: Place | None, operative: bool) -> bool:
        """Whether it is so already; else it will be after the session. None: all EVSEs."""
        meant = [place] if place else list(self.places.values())
        for one in meant:
            one.evse.set_operative(operative)
        return operative or all(one.evse.state not in IN_SESSION for one in meant)

    def put_profile(self, profile: StackedProfile) -> None:
        self.stack.put(profile)
        self.follow_profiles()

    def clear_profiles(self, **criteria: Any) -> bool:
        gone = self.stack.clear(**criteria)
        self.follow_profiles()
        return gone

    def follow_profiles(self) -> None:
        """Each session under what the profiles come to now."""
        for place in self.places.values():
            session = place.evse.session
            if session is not None and session.started_at is not None:
                limit = self.stack.limit(
                    session.session_id,
                    place.number,
                    session.started_at,
                    self.clock.now(),
                    self.hardware.supply,
                )
                if limit is not None or session.limit is not None:
                    place.evse.set_limit(session.session_id, limit)

    def composite_schedule(self, place: Place, duration_s: int, unit: str | None) -> JsonObject:
        """ActiveChargingProfile in the engine's form, in W or A."""
        session = place.evse.session
        limit = session.limit if session else None
        schedule = active_profile(limit, self.hardware.supply, self.clock.now(), duration_s)
        if unit == "A":
            for period in schedule["periods"]:
                period["limit"] = round(self.hardware.supply.amperes(period["limit"]), 1)
            schedule["charging_rate_unit"] = "A"
        return schedule

    def set_variable(self, variable: Variable | None, value: str) -> Set:
        done = self.configuration.put(variable, value)
        if done is Set.DONE and variable is not None and not variable.readable:
            self.new_password = value
        if done is Set.DONE:
            timeout_s = self.configuration.number("ConnectionTimeOut")
            for place in self.places.values():
                place.evse.config = replace(place.evse.config, plug_timeout_s=timeout_s)
        return done

    def end_all(self, reason: str) -> None:
        """Before a reset."""
        for place in self.places.values():
            if place.evse.session is not None:
                place.evse.stop(place.evse.session.session_id, reason)

    # --- inside -------------------------------------------------------------------------------

    def _emit(self, number: int, kind: str, fields: Mapping[str, Any]) -> None:
        place = self.places[number]
        message = {"evse": number, **fields}
        if kind == "meter":
            now = self.clock.monotonic()
            interval = self.configuration.number("MeterValueSampleInterval")
            if now - place.sampled_at < interval:
                return
            # By the interval, not by when this one came: late ticks do not add up.
            late = (now - place.sampled_at) % interval if interval else 0
            place.sampled_at = now - late
        elif kind == "session_started":
            place.sampled_at = self.clock.monotonic()
            message.update(place.facts)
            message["signed"] = place.evse.session.signed_begin if place.evse.session else None
            place.facts["began"] = self._profiles_are_due = True
        elif kind == "session_stopped":
            message["began"] = place.facts.get("began", False)
            message["stopped_by"] = place.facts.get("stopped_by")
            self.stack.end(fields["session_id"], number)
            place.facts = {}
        elif kind == "state":
            car = place.evse.car
            message["full"] = bool(car and car.full)
            if State(fields["state"]) is not State.RESERVED:
                place.reserved_for_group = None
        self.recorder.emit(kind, message)
