"""Takes the questions that the store has for stations of this process, and writes the answers.

A change stream tells of new ones within moments; a look once a second finds those that came while
it was not heard, or whose station has connected just now. How a question is put to a station, the
operations know.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from cpo_app.ocpp.box import Asked, NotAnswered
from cpo_app.ocpp.connection import Connection
from cpo_app.otlp.spans import span
from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from db_interface.watching import NoChangeStream, inserted
from domain.ocpp import questions
from domain.ocpp.questions import QUESTIONS, Question
from domain.rounds import Rounds
from domain.trace import bound

logger = logging.getLogger("cpo.ocpp")

LOOKED_EVERY_S = 1.0
AT_ONCE = 500

CarryOut = Callable[[str, Asked], Awaitable[JsonObject]]
"""(operation, what is asked) to the neutral answer. Raises NotAnswered."""


class QuestionDesk:
    def __init__(
        self, store: DbInterface, held: Mapping[str, Connection], carry_out: CarryOut
    ) -> None:
        self._store = store
        self._db = store.db
        self._held = held
        self._carry_out = carry_out
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._rounds = Rounds("OCPP questions", self.look, LOOKED_EVERY_S, logger=logger)

    def start(self) -> None:
        self._rounds.start()
        self._listening = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """What was asked and not answered is lost with the connections."""
        await self._rounds.stop()
        tasks = [*self._asking.values(), *([self._listening] if self._listening else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self) -> None:
        for question in await questions.open_ones(self._db, AT_ONCE):
            connection = self._held.get(question["station"])
            if connection is not None and question["_id"] not in self._asking:
                task = asyncio.create_task(self._ask(question, connection))
                self._asking[question["_id"]] = task
                task.add_done_callback(partial(self._done, question["_id"]))

    def _done(self, question_id: str, _task: asyncio.Task[None]) -> None:
        self._asking.pop(question_id, None)

    async def _listen(self) -> None:
        try:
            async for found in inserted(self._db, QUESTIONS.name, "station"):
                if found is None or any(station in self._held for station in found):
                    self._rounds.wake()
        except NoChangeStream:
            logger.warning("this store has no change streams: questions wait up to a second")

    async def _ask(self, question: Question, connection: Connection) -> None:
        id_ = question["_id"]
        try:
            with (
                bound(
                    command_id=id_,
                    cp_id=question["station"],
                    traceparent=question.get("traceparent"),
                ),
                span(f"OCPP {question['op']}", "client", {"cpo.cp_id": question["station"]}),
            ):
                if not await self._taken(question, connection):
                    return
                try:
                    answer = await self._carry_out(
                        question["op"], self._asked(question, connection)
                    )
                except NotAnswered as error:
                    await questions.not_answered(self._db, id_, sent=error.sent)
                else:
                    await questions.answer(self._db, id_, answer)
        except STORE_ERRORS as error:
            logger.warning("the answer of %s was lost: %s", question["station"], error)
        except Exception:  # nobody awaits this task: its error would be lost
            logger.exception("%s could not be asked %s", question["station"], question["op"])
            await questions.not_answered(self._db, id_, sent=None)

    async def _taken(self, question: Question, connection: Connection) -> bool:
        async def work(tx: Tx) -> bool:
            return await questions.take(tx, question, connection.id)

        return await self._store.transact_jointly(work, question["station"])

    def _asked(self, question: Question, connection: Connection) -> Asked:
        station = connection.station
        left_s = (question["deadline"] - self._db.now()).total_seconds()
        known = [
            str(one["number"])
            for evse in station["evses"]
            if evse["evse"] == question["evse"]
            for one in evse["connectors"]
        ]
        return Asked(
            box=connection,
            evse=question["evse"],
            fields=question["fields"],
            timeout_s=max(left_s, 1.0),
            one_evse=bool(station.get("one_evse")),
            connectors=tuple(known) or ("1",),
        )
