"""Central's commands: what they look like, what each does, and that each is done once.

The answer to a command_id is remembered on disk, so a command that arrives again, even after a
restart, gets the same answer and changes nothing. Who may command is checked in engine_http.
"""

import logging
from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, Field

from cpo_app.charge_point.clock import Clock
from cpo_app.charge_point.evse import Evse, Result
from cpo_app.charge_point.profile import ChargingLimit
from cpo_app.charge_point.recorder import Recorder
from cpo_app.charge_point.session import Reservation
from db_interface.json_data import JsonObject
from domain.times import parse_datetime

logger = logging.getLogger(__name__)

_MAX_ANSWERS = 1000


class Command(BaseModel):
    """POST /command. Which fields a kind needs: docs/charge-point.md."""

    command_id: str = Field(min_length=1, max_length=128)
    kind: Literal[
        "start",
        "stop",
        "unlock",
        "reserve",
        "cancel_reservation",
        "limit",
        "clear_limit",
        "get_status",
        "set_operative",
    ]
    connector_id: str | None = Field(default=None, max_length=36)
    session_id: str | None = Field(default=None, max_length=128)
    id_tag: str | None = Field(default=None, max_length=128)
    reservation_id: str | None = Field(default=None, max_length=128)
    expiry: str | None = None
    limit: JsonObject | None = None
    operative: bool = True


class NotKept(Exception):
    """The command was carried out, but the disk did not take the answer: it may be forgotten
    again, so nobody may rely on it yet. Asked again with the same id it is tried again."""


class _Incomplete(ValueError):
    """A field that this kind needs is missing or malformed."""


def _need(value: str | None, field: str) -> str:
    if not value:
        raise _Incomplete(f"{field} is needed")
    return value


class CommandDesk:
    def __init__(
        self, evse: Evse, recorder: Recorder, clock: Clock, answers: dict[str, JsonObject]
    ) -> None:
        self._evse = evse
        self._recorder = recorder
        self._clock = clock
        self._answers = dict(answers)
        self._kinds: dict[str, Callable[[Command], Result]] = {
            "start": self._start,
            "stop": self._stop,
            "unlock": lambda command: self._evse.unlock(),
            "reserve": self._reserve,
            "cancel_reservation": self._cancel_reservation,
            "limit": self._limit,
            "clear_limit": self._clear_limit,
            "get_status": lambda command: Result.ACCEPTED,
            "set_operative": lambda command: self._evse.set_operative(command.operative),
        }

    def carry_out(self, command: Command) -> JsonObject:
        """Do it, once. Returns {command_id, result, message?, ended?, status}; status:
        Evse.status(), ended: Recorder.ended of the session that was to be stopped.

        What it returns is on disk. Raises NotKept.
        """
        answer = self._answers.get(command.command_id) or self._do(command)
        if not self._recorder.commit(self._evse.as_dict()):
            raise NotKept(command.command_id)
        return answer

    def _do(self, command: Command) -> JsonObject:
        message = None
        try:
            result = self._kinds[command.kind](command)
        except _Incomplete as error:
            result, message = Result.REJECTED, str(error)
        answer: JsonObject = {"command_id": command.command_id, "result": result.value}
        if message:
            answer["message"] = message
        ended = self._recorder.ended(command.session_id or "") if command.kind == "stop" else None
        if ended is not None:
            answer["ended"] = ended
        answer["status"] = self._evse.status()
        logger.info("command %s %s: %s", command.kind, command.command_id, result.value)
        if command.kind != "get_status":
            self._remember(answer)
        return answer

    def _remember(self, answer: JsonObject) -> None:
        self._answers[answer["command_id"]] = answer
        if len(self._answers) > _MAX_ANSWERS:
            del self._answers[next(iter(self._answers))]
        self._recorder.remember_answer(answer)

    def _start(self, command: Command) -> Result:
        return self._evse.start(
            _need(command.session_id, "session_id"),
            "remote",
            id_tag=command.id_tag or None,
            connector_id=command.connector_id,
            reservation_id=command.reservation_id,
        )

    def _stop(self, command: Command) -> Result:
        return self._evse.stop(_need(command.session_id, "session_id"), "remote")

    def _reserve(self, command: Command) -> Result:
        try:
            expiry = parse_datetime(_need(command.expiry, "expiry"))
        except _Incomplete:
            raise
        except (ValueError, OverflowError):
            raise _Incomplete("expiry is no ISO 8601 instant") from None
        reservation_id = _need(command.reservation_id, "reservation_id")
        return self._evse.reserve(Reservation(reservation_id, command.id_tag or None, expiry))

    def _cancel_reservation(self, command: Command) -> Result:
        return self._evse.cancel_reservation(_need(command.reservation_id, "reservation_id"))

    def _limit(self, command: Command) -> Result:
        session_id = _need(command.session_id, "session_id")
        session = self._evse.session
        begun = session.started_at if session and session.started_at else self._clock.now()
        try:
            limit = ChargingLimit.parse(command.limit, relative_to=begun)
        except ValueError as error:
            raise _Incomplete(str(error)) from None
        return self._evse.set_limit(session_id, limit)

    def _clear_limit(self, command: Command) -> Result:
        session_id = _need(command.session_id, "session_id")
        session = self._evse.session
        if session and session.session_id == session_id and session.limit is None:
            # Central makes the OCPI ClearProfileResult UNKNOWN of it.
            raise _Incomplete("NO_PROFILE")
        return self._evse.set_limit(session_id, None)
