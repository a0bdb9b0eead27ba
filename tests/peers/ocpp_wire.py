"""One end of an OCPP-J connection in a test, frame by frame: charge point or central system.

It writes down all that it hears, answers as it was told, and holds nobody to any rule: several
calls at once, broken frames and missing answers are what tests are made of.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed

WITHIN_S = 10.0
Payload = dict[str, Any]
Answer = Payload | Callable[[Payload], Payload] | Exception | None
"""None: it is never answered. A `Refused` becomes a CALLERROR."""


class Refused(Exception):
    """A CALLERROR."""

    def __init__(self, code: str, description: str = "", details: Any = None) -> None:
        super().__init__(f"{code}: {description}")
        self.code, self.description, self.details = code, description, details or {}


@dataclass(frozen=True)
class Asked:
    """A CALL of the other side."""

    action: str
    payload: Payload
    message_id: str


class Wire:
    """`answers` by action may be exchanged at any time; what is not in it is NotImplemented."""

    def __init__(self, answers: dict[str, Answer] | None = None) -> None:
        self.answers: dict[str, Answer] = answers or {}
        self.frames: list[Any] = []
        """All that came in: parsed, or the text where it is no JSON."""
        self.asked: list[Asked] = []
        self.closed_with: tuple[int, str] | None = None
        self._taken: set[int] = set()
        self._pending: dict[str, asyncio.Future[Payload]] = {}
        self._changed = asyncio.Condition()
        self._connection: Connection | None = None
        self._reading: asyncio.Task[None] | None = None

    def attach(self, connection: Connection) -> None:
        self._connection = connection
        self.closed_with = None
        self._reading = asyncio.create_task(self._read(connection))

    def go_on_from(self, before: Wire) -> None:
        """What was asked before the cut stays on record, and what of it was taken."""
        self.asked, self._taken = list(before.asked), set(before._taken)

    @property
    def connection(self) -> Connection:
        assert self._connection is not None, "it is not connected"
        return self._connection

    # --- what it says -------------------------------------------------------------------------

    async def send(self, frame: Any) -> None:
        """A frame as it is: text and bytes go out unchanged, all else as JSON."""
        await self.connection.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def call(
        self,
        action: str,
        payload: Payload | None = None,
        *,
        message_id: str | None = None,
        within_s: float = WITHIN_S,
    ) -> Payload:
        """The answer's payload. Raises Refused, ConnectionResetError, TimeoutError."""
        message_id = message_id or str(uuid.uuid4())
        answer = asyncio.get_running_loop().create_future()
        self._pending[message_id] = answer
        try:
            await self.send([2, message_id, action, payload or {}])
            return await asyncio.wait_for(answer, within_s)
        except ConnectionClosed:
            raise ConnectionResetError(f"{action}: closed") from None
        finally:
            self._pending.pop(message_id, None)

    # --- what it hears ------------------------------------------------------------------------

    async def next(self, action: str, within_s: float = WITHIN_S) -> Asked:
        """The other side's next CALL of this action that nobody has taken yet; waits for it."""
        await self.until(lambda: self._untaken(action) is not None, within_s, action)
        number = self._untaken(action)
        assert number is not None
        self._taken.add(number)
        return self.asked[number]

    async def until(
        self, holds: Callable[[], bool], within_s: float = WITHIN_S, what: str = "it"
    ) -> None:
        """Return when it holds; looked at whenever a frame has come, or the connection ended."""
        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait_for(holds), within_s)
            except asyncio.TimeoutError:
                raise AssertionError(f"{what} did not happen; heard: {self.frames[-5:]}") from None

    async def closed(self, within_s: float = WITHIN_S) -> tuple[int, str]:
        """Code and reason with which the other side has ended the connection; waits for it."""
        await self.until(lambda: self.closed_with is not None, within_s, "an end")
        assert self.closed_with is not None
        return self.closed_with

    async def close(self) -> None:
        await self.connection.close()
        await self._end()

    async def drop(self) -> None:
        """Gone without a word, as when power fails."""
        self.connection.transport.abort()
        await self._end()

    # --- inside -------------------------------------------------------------------------------

    def _untaken(self, action: str) -> int | None:
        for number, asked in enumerate(self.asked):
            if asked.action == action and number not in self._taken:
                return number
        return None

    async def _end(self) -> None:
        if self._reading is not None:
            await asyncio.wait([self._reading], timeout=WITHIN_S)

    async def _read(self, connection: Connection) -> None:
        try:
            async for text in connection:
                await self._heard(text)
        except (ConnectionClosed, OSError):
            pass
        finally:
            code = connection.close_code
            self.closed_with = (1006 if code is None else code, connection.close_reason or "")
            for answer in self._pending.values():
                if not answer.done():
                    answer.set_exception(ConnectionResetError("closed before the answer"))
            async with self._changed:
                self._changed.notify_all()

    async def _heard(self, text: str | bytes) -> None:
        try:
            frame = json.loads(text)
        except ValueError:
            frame = text
        self.frames.append(frame)
        if isinstance(frame, list) and frame:
            if frame[0] == 2:
                self.asked.append(Asked(frame[2], frame[3], frame[1]))
                await self._answer(self.asked[-1])
            elif frame[0] in (3, 4) and frame[1] in self._pending:
                self._resolve(frame)
        async with self._changed:
            self._changed.notify_all()

    def _resolve(self, frame: list[Any]) -> None:
        answer = self._pending[frame[1]]
        if answer.done():
            return
        if frame[0] == 3:
            answer.set_result(frame[2])
        else:
            answer.set_exception(Refused(*frame[2:5]))

    async def _answer(self, asked: Asked) -> None:
        missing = Refused("NotImplemented", asked.action)
        answer = self.answers.get(asked.action, missing)
        if callable(answer):
            try:
                answer = answer(asked.payload)
            except Refused as refused:
                answer = refused
        if answer is None:
            return
        with contextlib.suppress(ConnectionClosed):
            if isinstance(answer, Refused):
                said = [answer.code, answer.description, answer.details]
                await self.send([4, asked.message_id, *said])
            else:
                await self.send([3, asked.message_id, answer])
