"""OCPP-J as a state machine: one connection's frames in, events and frames out. No sockets.

    [2, id, action, payload]                  CALL            answered by one of the next two
    [3, id, payload]                          CALLRESULT
    [4, id, code, description, details]       CALLERROR
    [5, id, code, description, details]       CALLRESULTERROR from 2.1: their answer was no good
    [6, id, action, payload]                  SEND            from 2.1: never answered

Towards the charge point one CALL is outstanding at a time; `start` is called when `idle`. Its calls
are events in the order in which they came; whoever handles them does so one by one.

A CALL that comes twice (same id, action and payload) is answered alike and handled once: the
charge point did not hear our answer. One without payload is asked anew, for its answer may be
another by now. Answers to nothing that is outstanding are strays: counted, never answered. What is
no message at all is answered with CALLERROR, id "-1" where none can be read.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import IntEnum

import orjson

from db_interface.json_data import JsonObject

REMEMBERED = 16
"""Answered calls of a connection."""
MAX_ID_LENGTH = 255
"""36 in OCPP; real boxes send longer ones, and get back what they sent."""


class MessageType(IntEnum):
    CALL = 2
    CALLRESULT = 3
    CALLERROR = 4
    CALLRESULTERROR = 5
    SEND = 6


_FROM_2_1 = (MessageType.CALLRESULTERROR, MessageType.SEND)


@dataclass(frozen=True)
class Called:
    """It asks something; to be answered by `result` or `error` of this id."""

    message_id: str
    action: str
    payload: JsonObject


@dataclass(frozen=True)
class Sent:
    """It tells something, and waits for nothing."""

    message_id: str
    action: str
    payload: JsonObject


@dataclass(frozen=True)
class Result:
    """The answer to our outstanding CALL."""

    message_id: str
    payload: JsonObject


@dataclass(frozen=True)
class Failed:
    """It will not, or cannot, do what our outstanding CALL asked."""

    message_id: str
    code: str
    description: str
    details: JsonObject


@dataclass(frozen=True)
class Unusable:
    """It could not use our answer (2.1)."""

    message_id: str
    code: str
    description: str


@dataclass(frozen=True)
class Reply:
    """A frame that goes out at once, without anybody being asked. `why`: for the count."""

    frame: bytes
    why: str


@dataclass(frozen=True)
class Ignored:
    """Nothing is done about it. `why`: for the count."""

    why: str
    message_id: str | None = None


Event = Called | Sent | Result | Failed | Unusable | Reply | Ignored


@dataclass
class _Answered:
    action: str
    payload: JsonObject
    frame: bytes | None = None
    """None: being worked on"""


@dataclass
class Rpc:
    """One per connection. `protocol`: the subprotocol, as "ocpp1.6"."""

    protocol: str
    outstanding: str | None = None
    """the id of our CALL that waits for its answer"""
    _calls: OrderedDict[str, _Answered] = field(default_factory=OrderedDict)

    @property
    def idle(self) -> bool:
        return self.outstanding is None

    def receive(self, frame: str | bytes) -> Event:
        """What a frame of the charge point's means."""
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError:
            return self._malformed("-1", "no JSON")
        if not isinstance(message, list) or len(message) < 2:
            return self._malformed("-1", "no OCPP message")
        kind, message_id = message[0], _id_of(message[1])
        if kind in (MessageType.CALLRESULT, MessageType.CALLERROR):
            return self._answer(kind, message_id, message)
        if kind not in (MessageType.CALL, *self._later_types):
            if isinstance(kind, int) and not isinstance(kind, bool):
                return self._error_reply(message_id or "-1", self._type_code, "message type")
            return self._malformed(message_id or "-1", "no message type")
        if message_id is None:
            return self._malformed("-1", "no id")
        if kind == MessageType.CALLRESULTERROR:
            code, description, _ = _error_of(message)
            return Unusable(message_id, code, description)
        return self._asked(kind, message_id, message)

    def start(self, message_id: str, action: str, payload: JsonObject) -> bytes:
        """The frame of a CALL of ours. Only while `idle`."""
        if self.outstanding is not None:
            raise RuntimeError(f"{self.outstanding} waits for its answer")
        self.outstanding = message_id
        return _frame(MessageType.CALL, message_id, action, payload)

    def give_up(self) -> None:
        """The outstanding CALL was not answered in time: its answer, if it comes, is a stray."""
        self.outstanding = None

    def result(self, message_id: str, payload: JsonObject) -> bytes:
        """The frame that answers a CALL."""
        return self._answered(message_id, _frame(MessageType.CALLRESULT, message_id, payload))

    def error(self, message_id: str, code: str, description: str) -> bytes:
        """The frame that refuses a CALL. It may be asked again: nothing was done."""
        self._calls.pop(message_id, None)
        return _frame(MessageType.CALLERROR, message_id, code, description[:255], {})

    def _asked(self, kind: MessageType, message_id: str, message: list[object]) -> Event:
        action = message[2] if len(message) > 2 else None
        payload = message[3] if len(message) > 3 else {}
        if payload is None or payload == []:
            payload = {}
        if not isinstance(action, str) or not isinstance(payload, dict):
            return self._malformed(message_id, "no action or payload")
        if kind == MessageType.SEND:
            return Sent(message_id, action, payload)
        before = self._calls.get(message_id)
        if before is not None and payload and (before.action, before.payload) == (action, payload):
            if before.frame is None:
                return Ignored("asked twice", message_id)
            return Reply(before.frame, "asked twice")
        self._calls[message_id] = _Answered(action, payload)
        self._calls.move_to_end(message_id)
        if len(self._calls) > REMEMBERED:
            self._calls.popitem(last=False)
        return Called(message_id, action, payload)

    def _answer(self, kind: int, message_id: str | None, message: list[object]) -> Event:
        if message_id is None or message_id != self.outstanding:
            return Ignored("an answer to nothing", message_id)
        self.outstanding = None
        if kind == MessageType.CALLERROR:
            return Failed(message_id, *_error_of(message))
        payload = message[2] if len(message) > 2 else None
        return Result(message_id, payload if isinstance(payload, dict) else {})

    def _answered(self, message_id: str, frame: bytes) -> bytes:
        known = self._calls.get(message_id)
        if known is not None:
            known.frame = frame
        return frame

    @property
    def _later_types(self) -> tuple[MessageType, ...]:
        return _FROM_2_1 if self.protocol == "ocpp2.1" else ()

    @property
    def _type_code(self) -> str:
        return "NotSupported" if self.protocol == "ocpp1.6" else "MessageTypeNotSupported"

    def _malformed(self, message_id: str, why: str) -> Reply:
        code = "FormationViolation" if self.protocol == "ocpp1.6" else "RpcFrameworkError"
        return self._error_reply(message_id, code, why)

    def _error_reply(self, message_id: str, code: str, why: str) -> Reply:
        return Reply(_frame(MessageType.CALLERROR, message_id, code, why, {}), why)


def _frame(kind: MessageType, *parts: object) -> bytes:
    return orjson.dumps([int(kind), *parts])


def _id_of(value: object) -> str | None:
    """Some boxes count their messages and send the number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and 0 < len(value) <= MAX_ID_LENGTH:
        return value
    return None


def _error_of(message: list[object]) -> tuple[str, str, JsonObject]:
    code = message[2] if len(message) > 2 else None
    description = message[3] if len(message) > 3 else None
    details = message[4] if len(message) > 4 else None
    return (
        code if isinstance(code, str) else "GenericError",
        description if isinstance(description, str) else "",
        details if isinstance(details, dict) else {},
    )
