"""OCPP-J from a charge point's side: calls and answers over one websocket. No meaning, no retries.

One call of ours at a time; the other side's are answered in the order in which they come. A call
that is not answered in time ends the connection: nothing after it could be told apart from it.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable

import orjson
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from db_interface.json_data import JsonObject

logger = logging.getLogger(__name__)

ANSWER_WITHIN_S = 30.0
_CALL, _RESULT, _ERROR = 2, 3, 4


class NotDone(Exception):
    """A CALLERROR, ours or the other side's. `code` in OCPP's words."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(f"{code} {description}".rstrip())
        self.code = code
        self.description = description


class Unanswered(Exception):
    """No answer came, and none will: the connection is gone."""


class Wire:
    """`asked` answers the other side's calls: (action, payload) to payload; may raise NotDone."""

    def __init__(
        self,
        connection: ClientConnection,
        asked: Callable[[str, JsonObject], JsonObject],
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._connection = connection
        self._asked = asked
        self._within_s = answer_within_s
        self._turn = asyncio.Lock()
        self._waiting: tuple[str, asyncio.Future[JsonObject]] | None = None

    async def call(self, action: str, payload: JsonObject) -> JsonObject:
        """The answer's payload. Raises NotDone and Unanswered."""
        async with self._turn:
            call_id = str(uuid.uuid4())
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[JsonObject] = loop.create_future()
            self._waiting = call_id, answer
            # No wait_for: on Python 3.11 it swallows a cancellation that comes with the answer.
            late = loop.call_later(self._within_s, self._give_up)
            try:
                await self._send([_CALL, call_id, action, payload])
                return await answer
            except (ConnectionClosed, ConnectionError) as error:
                self._connection.transport.abort()
                raise Unanswered(f"{action}: {type(error).__name__}") from None
            finally:
                late.cancel()
                self._waiting = None

    async def read(self) -> None:
        """Until the connection ends."""
        try:
            async for text in self._connection:
                await self._heard(text)
        except (ConnectionClosed, OSError):
            pass
        finally:
            self._give_up()

    def _give_up(self) -> None:
        if self._waiting is not None and not self._waiting[1].done():
            self._waiting[1].set_exception(ConnectionResetError())

    async def _heard(self, text: str | bytes) -> None:
        try:
            frame = orjson.loads(text)
            kind, call_id = frame[0], frame[1]
        except (ValueError, LookupError, TypeError):
            logger.warning("a frame that is none: %.100r", text)
            return
        if kind == _CALL and len(frame) == 4:
            await self._send(self._answer(call_id, frame[2], frame[3]))
        elif self._waiting is None or self._waiting[0] != call_id or self._waiting[1].done():
            logger.warning("an answer that nobody waits for: %.100r", text)
        elif kind == _RESULT:
            self._waiting[1].set_result(frame[2])
        elif kind == _ERROR:
            self._waiting[1].set_exception(NotDone(*frame[2:4]))

    def _answer(self, call_id: str, action: str, payload: JsonObject) -> list[object]:
        try:
            return [_RESULT, call_id, self._asked(action, payload)]
        except NotDone as error:
            return [_ERROR, call_id, error.code, error.description, {}]
        except (KeyError, TypeError, ValueError) as error:
            return [_ERROR, call_id, "FormationViolation", f"{action}: {error!r}"[:255], {}]

    async def _send(self, frame: list[object]) -> None:
        await self._connection.send(orjson.dumps(frame).decode())
