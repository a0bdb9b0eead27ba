"""One EVSE: what is plugged, who may charge, how much flows. The rules on top of states.TABLE.

Knows no HTTP, no disk and no Central: it reports through `emit(kind, fields)` and is driven by
calls and by `tick()`. Every call first brings the meter up to now, so that each watt-hour is
counted under the limit and the state in which it flowed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from cpo_app.charge_point.clock import Clock
from cpo_app.charge_point.metering import Meter
from cpo_app.charge_point.power import Car, Supply
from cpo_app.charge_point.profile import ChargingLimit
from cpo_app.charge_point.session import Reservation, Session
from cpo_app.charge_point.signing import MeterSigner
from cpo_app.charge_point.states import IN_SESSION, Event, Refused, State, next_state
from db_interface.json_data import JsonObject

Emit = Callable[[str, JsonObject], None]

#: With this fault the plug cannot be released.
LOCK_FAULT = "CONNECTOR_LOCK_FAILURE"


class Result(str, Enum):
    """Answers to Central's commands (docs/charge-point.md)."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    OCCUPIED = "OCCUPIED"
    INOPERATIVE = "INOPERATIVE"
    RESERVED = "RESERVED"
    FAULT = "FAULT"
    UNKNOWN_SESSION = "UNKNOWN_SESSION"
    UNKNOWN_RESERVATION = "UNKNOWN_RESERVATION"
    UNLOCK_FAILED = "UNLOCK_FAILED"
    NOT_SUPPORTED = "NOT_SUPPORTED"


@dataclass(frozen=True)
class EvseConfig:
    """How this EVSE behaves where it stands; `new_car` is what drives up unless told otherwise."""

    new_car: Car
    connector_id: str = "1"
    auto_plug: bool = True
    auto_unplug_after_s: float = 3.0
    plug_timeout_s: float = 60.0
    stop_when_full: bool = False


class Evse:
    def __init__(
        self,
        supply: Supply,
        config: EvseConfig,
        clock: Clock,
        emit: Emit,
        signer: MeterSigner | None = None,
    ) -> None:
        self.meter = Meter(supply, clock)
        self.config = config
        self.state = State.AVAILABLE
        self.car: Car | None = None
        self.session: Session | None = None
        self.reservation: Reservation | None = None
        self.operative = True
        self.faults: dict[str, str] = {}
        #: The connector used last: one EVSE charges at one connector at a time.
        self.connector_id = config.connector_id
        self._auto_plugged = False
        self._unplug_at: float | None = None
        self._clock = clock
        self._emit = emit
        self._signer = signer
        self._signed_records = 0
        self._reported: tuple[object, ...] | None = None

    # --- what Central, the card reader and the driver ask for ---------------------------------

    def start(
        self,
        session_id: str,
        source: str,
        id_tag: str | None = None,
        connector_id: str | None = None,
        reservation_id: str | None = None,
    ) -> Result:
        """Start, or wait for the car until the plug timeout. The same session again is a yes."""
        self._advance()
        if self.session and self.session.session_id == session_id:
            return Result.ACCEPTED
        if blocked := self._blocked():
            return blocked
        if self.reservation and not self.reservation.admits(id_tag, reservation_id):
            return Result.RESERVED
        self.reservation = None
        now = self._clock.now()
        self.session = Session(
            session_id=session_id,
            connector_id=connector_id or self.config.connector_id,
            source=source,
            id_tag=id_tag,
            plug_by=now + timedelta(seconds=self.config.plug_timeout_s),
        )
        self._move_to(self.session.connector_id)
        self._unplug_at = None
        if self.car is None and self.config.auto_plug and source == "remote":
            self.car = self._arriving_car()
            self._auto_plugged = True
            self._fire(Event.PLUG)
        if self.car is None:
            self._fire(Event.AUTHORISE)
        else:
            self._begin()
        self._settle()
        return Result.ACCEPTED

    def stop(self, session_id: str, reason: str) -> Result:
        """End the running or waiting session."""
        self._advance()
        if self.session is None or self.session.session_id != session_id:
            return Result.UNKNOWN_SESSION
        if self.session.started_at is None:
            self._end(reason)
            self._fire(Event.RELEASE)
        else:
            self._stop_running(reason)
        self._settle()
        return Result.ACCEPTED

    def unlock(self) -> Result:
        """Release the plug, after ending a running session (as OCPP 1.6 UnlockConnector does)."""
        self._advance()
        if LOCK_FAULT in self.faults:
            return Result.UNLOCK_FAILED
        if self.state in IN_SESSION:
            self._stop_running("remote")
            self._settle()
        return Result.ACCEPTED

    def reserve(self, reservation: Reservation) -> Result:
        """Keep the EVSE for a token; the same reservation_id replaces the earlier one."""
        self._advance()
        if blocked := self._blocked():
            return blocked
        standing = self.reservation
        if standing and standing.reservation_id != reservation.reservation_id:
            return Result.RESERVED
        if reservation.expiry <= self._clock.now():
            return Result.REJECTED
        if self.state not in (State.AVAILABLE, State.RESERVED):
            return Result.OCCUPIED
        self.reservation = reservation
        self._fire(Event.RESERVE)
        self._settle()
        return Result.ACCEPTED

    def cancel_reservation(self, reservation_id: str) -> Result:
        self._advance()
        if self.reservation is None or self.reservation.reservation_id != reservation_id:
            return Result.UNKNOWN_RESERVATION
        self._release_reservation()
        self._settle()
        return Result.ACCEPTED

    def set_operative(self, operative: bool) -> Result:
        """Out of service at once, or after the running session; a waiting one is given up."""
        self._advance()
        self.operative = operative
        if not operative and self.session and self.session.started_at is None:
            self._end("remote")
        self._fire(Event.ENABLE if operative else Event.DISABLE)
        self._settle()
        return Result.ACCEPTED

    def set_limit(self, session_id: str, limit: ChargingLimit | None) -> Result:
        """Put the session under `limit` (None: free it), from this instant on."""
        self._advance()
        if self.session is None or self.session.session_id != session_id:
            return Result.UNKNOWN_SESSION
        self.session.limit = limit
        self._follow_power()
        if self.session and self.session.started_at:
            self._report_meter()
        self._settle()
        return Result.ACCEPTED

    # --- what happens at the EVSE -------------------------------------------------------------

    def plug(self, car: Car | None = None) -> None:
        """A car is plugged in. Raises Refused where one is already."""
        self._advance()
        if self.car is not None:
            raise Refused(self.state, Event.PLUG)
        self.car = car or self._arriving_car()
        self._auto_plugged = False
        self._fire(Event.PLUG)
        if self.session and self.session.started_at is None:
            self._begin()
        self._settle()

    def unplug(self) -> None:
        """The car leaves; a running session ends. Raises Refused where there is none."""
        self._advance()
        if self.car is None:
            raise Refused(self.state, Event.UNPLUG)
        if self.state in IN_SESSION:
            self._end("unplugged")
        self.car = None
        self._auto_plugged = False
        self._unplug_at = None
        self._fire(Event.UNPLUG)
        self._settle()

    def fault(self, code: str, message: str = "") -> None:
        self._advance()
        if self.session:
            self._end("fault")
        self.faults[code] = message
        self._fire(Event.FAULT)
        self._settle()

    def clear_fault(self, code: str | None = None) -> None:
        """One fault is gone, or all. Raises Refused where there is no such fault."""
        self._advance()
        if not self.faults or (code is not None and code not in self.faults):
            raise Refused(self.state, Event.CLEAR_FAULT)
        self.faults = {c: m for c, m in self.faults.items() if code is not None and c != code}
        if not self.faults:
            self._fire(Event.CLEAR_FAULT)
        self._settle()

    def set_speed(self, factor: float) -> None:
        """Charge `factor` times as fast as the clock (demonstrations); power stays the same."""
        self._advance()
        self.meter.speed = factor

    def tick(self) -> None:
        """Once per telemetry interval: meter, deadlines, meter value."""
        self._advance()
        self._follow_power()
        now = self._clock.now()
        if self.reservation and self.reservation.expiry <= now:
            self._release_reservation()
        if self.session and self.session.started_at is None and self.session.plug_by <= now:
            self._end("timeout")
            self._fire(Event.RELEASE)
        if self._unplug_at is not None and self._clock.monotonic() >= self._unplug_at:
            self.unplug()
        if self.state in IN_SESSION:
            self._report_meter()
        self._settle()

    def refuse_session(self, session_id: str, connector_id: str, reason: str) -> None:
        """Tell Central that a session that it has opened will not start here."""
        self._emit(
            "session_stopped",
            {
                "session_id": session_id,
                "connector_id": connector_id,
                "register_wh": round(self.meter.register_wh, 3),
                "energy_wh": 0.0,
                "reason": reason,
                "signed_data": None,
            },
        )

    # --- what can be read ---------------------------------------------------------------------

    def power_w(self) -> float:
        return (
            self.meter.possible_w(self.car, self._limit()) if self.state is State.CHARGING else 0.0
        )

    def energy_wh(self) -> float:
        """Energy of the running session."""
        if self.session is None or self.session.started_at is None:
            return 0.0
        return self.meter.register_wh - self.session.start_register_wh

    @property
    def busy(self) -> bool:
        """Whether something goes on that `tick` has to bring on."""
        return bool(self.session or self.reservation or self._unplug_at is not None)

    def status(self) -> JsonObject:
        """{connector_id, state, ev_state, error_code?, session_id?}: a "state" message."""
        status: JsonObject = {
            "connector_id": self.connector_id,
            "state": self.state.value,
            "ev_state": "plugged" if self.car else "unplugged",
        }
        if self.faults:
            status["error_code"] = next(iter(self.faults))
        if self.session:
            status["session_id"] = self.session.session_id
        return status

    # --- memory across restarts ---------------------------------------------------------------

    def as_dict(self) -> JsonObject:
        return {
            "state": self.state.value,
            "connector_id": self.connector_id,
            "car": self.car.as_dict() if self.car else None,
            "auto_plugged": self._auto_plugged,
            "session": self.session.as_dict() if self.session else None,
            "reservation": self.reservation.as_dict() if self.reservation else None,
            "operative": self.operative,
            "register_wh": self.meter.register_wh,
            "signed_records": self._signed_records,
        }

    def restore(self, memory: JsonObject) -> None:
        """Go on where `as_dict` left off. While the engine was down no energy flowed.

        Faults are not remembered: hardware reports them again. Raises KeyError, TypeError or
        ValueError for a memory that is none; the EVSE must then be discarded.
        """
        state = State(memory["state"])
        self.meter.advance(None, None)
        self.car = Car(**memory["car"]) if memory["car"] else None
        self.session = Session.from_dict(memory["session"]) if memory["session"] else None
        if memory["reservation"]:
            self.reservation = Reservation.from_dict(memory["reservation"])
        self.operative = bool(memory["operative"])
        self.meter.register_wh = float(memory["register_wh"])
        self._signed_records = int(memory.get("signed_records", 0))
        self._auto_plugged = bool(memory["auto_plugged"])
        self.connector_id = memory["connector_id"]
        running = self.session is not None and self.session.started_at is not None
        if running != (state in IN_SESSION) or (running and self.car is None):
            raise ValueError("state and session do not fit")
        self.state = State.AVAILABLE if state is State.FAULTED else state
        if self.session is None:
            self._let_simulated_car_leave()

    def report(self) -> None:
        """Report the present state even if it has not changed (after a restart)."""
        self._reported = None
        self._settle()

    # --- inside -------------------------------------------------------------------------------

    def _blocked(self) -> Result | None:
        if self.faults:
            return Result.FAULT
        if not self.operative:
            return Result.INOPERATIVE
        return Result.OCCUPIED if self.session else None

    def _arriving_car(self) -> Car:
        return Car(**self.config.new_car.as_dict())

    def _move_to(self, connector_id: str) -> None:
        """Charge at this connector; the one used before must not stay reported as busy."""
        if connector_id != self.connector_id and self._reported is not None:
            left = {"connector_id": self.connector_id, "state": State.AVAILABLE.value}
            self._emit("state", {**left, "ev_state": "unplugged"})
        self.connector_id = connector_id

    def _let_simulated_car_leave(self) -> None:
        if self._auto_plugged:
            self._unplug_at = self._clock.monotonic() + self.config.auto_unplug_after_s

    def _fire(self, event: Event) -> None:
        self.state = next_state(self.state, event)

    def _settle(self) -> None:
        """Replay the facts that still hold (states.py), then report what changed."""
        if self.state is State.AVAILABLE:
            if self.faults:
                self._fire(Event.FAULT)
            elif not self.operative:
                self._fire(Event.DISABLE)
            elif self.session:
                self._fire(Event.AUTHORISE)
            elif self.reservation:
                self._fire(Event.RESERVE)
            elif self.car:
                self._fire(Event.PLUG)
        elif self.state is State.FINISHING and not self.operative:
            self._fire(Event.DISABLE)
        status = self.status()
        if self._reported != (now := tuple(status.items())):
            self._reported = now
            self._emit("state", status)

    def _begin(self) -> None:
        session = self.session
        assert session is not None  # noqa: S101 (both callers have just set or read it)
        session.started_at = self._clock.now()
        session.start_register_wh = self.meter.register_wh
        if self._signer:
            session.signed_begin = self._signer.begin(
                session, self.meter.register_wh, self._next_record(), dc=self.meter.supply.dc
            )
        self._fire(Event.START)
        self._emit(
            "session_started",
            {
                "session_id": session.session_id,
                "connector_id": session.connector_id,
                "register_wh": round(self.meter.register_wh, 3),
                "id_tag": session.id_tag,
                "source": session.source,
            },
        )
        self._follow_power()
        if self.state in IN_SESSION:
            self._report_meter()

    def _stop_running(self, reason: str) -> None:
        self._end(reason)
        self._fire(Event.STOP)

    def _end(self, reason: str) -> None:
        session = self.session
        assert session is not None  # noqa: S101 (callers hold one)
        energy_wh = self.energy_wh()
        if session.started_at is not None:
            self._report_meter()
        self.session = None
        self._let_simulated_car_leave()
        self._emit(
            "session_stopped",
            {
                "session_id": session.session_id,
                "connector_id": session.connector_id,
                "register_wh": round(self.meter.register_wh, 3),
                "energy_wh": round(energy_wh, 3),
                "reason": reason,
                "signed_data": self._signed(session, reason),
            },
        )

    def _signed(self, session: Session, reason: str) -> JsonObject | None:
        """The meter's signed readings of a session that has begun, where it signs."""
        if self._signer is None or session.started_at is None:
            return None
        end = self._signer.end(
            session,
            self.meter.register_wh,
            self._next_record(),
            reason,
            dc=self.meter.supply.dc,
        )
        return self._signer.signed_data(session.signed_begin, end)

    def _next_record(self) -> int:
        self._signed_records += 1
        return self._signed_records

    def _release_reservation(self) -> None:
        self.reservation = None
        self._fire(Event.RELEASE)

    def _limit(self) -> ChargingLimit | None:
        return self.session.limit if self.session else None

    def _advance(self) -> None:
        charging = self.car if self.state in IN_SESSION else None
        self.meter.advance(charging, self._limit())

    def _follow_power(self) -> None:
        if self.state not in IN_SESSION:
            return
        flows = self.meter.possible_w(self.car, self._limit()) > 0
        if self.state is State.CHARGING and not flows:
            self._fire(Event.SUSPEND)
        elif self.state is State.SUSPENDED and flows:
            self._fire(Event.RESUME)
        if self.config.stop_when_full and self.car and self.car.full:
            self._stop_running("full")

    def _report_meter(self) -> None:
        session = self.session
        assert session is not None  # noqa: S101 (callers hold one)
        self._emit(
            "meter",
            {
                "connector_id": session.connector_id,
                "session_id": session.session_id,
                "energy_wh": round(self.energy_wh(), 3),
                **self.meter.reading(self.power_w(), self.car, session.limit),
            },
        )
