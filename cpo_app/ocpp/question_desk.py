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
from db_interface.database import STORE_ERRORS, Database
from db_interface.json_data import JsonObject
from db_interface.watching import NoChangeStream, inserted
from domain.ocpp import question_taking
from domain.ocpp.question_taking import Offer
from domain.ocpp.questions import QUESTIONS, Question
from domain.rounds import Rounds
from domain.trace import bound

logger = logging.getLogger("cpo.ocpp")

LOOKED_EVERY_S = 1.0
AT_ONCE = 500

CarryOut = Callable[[str, Asked], Awaitable[JsonObject]]
"""(operation, what is asked) to the neutral answer. Raises NotAnswered."""


class QuestionDesk:
    """`held`: the connections by station, as they come and go; `has_lease`: whether they are this
    process's own yet."""

    def __init__(
        self,
        db: Database,
        held: Mapping[str, Connection],
        carry_out: CarryOut,
        has_lease: Callable[[], bool],
    ) -> None:
        self._db = db
        self._held = held
        self._carry_out = carry_out
        self._has_lease = has_lease
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._unsure: list[Offer] = []
        """Whether we have taken these is not known: the store did not answer."""
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
        offers = list(self._unsure)
        for question in await question_taking.open_ones(self._db, AT_ONCE):
            connection = self._held.get(question["station"])
            if connection is not None and question["_id"] not in self._asking:
                offers.append(Offer(question, connection.id))
        if not offers or not self._has_lease():
            return
        self._unsure = offers
        taken = await question_taking.take(self._db, offers)
        self._unsure = []
        for offer in offers:
            if offer.id in taken and offer.id not in self._asking:
                task = asyncio.create_task(self._ask(offer))
                self._asking[offer.id] = task
                task.add_done_callback(partial(self._done, offer.id))

    def _done(self, question_id: str, _task: asyncio.Task[None]) -> None:
        self._asking.pop(question_id, None)

    async def _listen(self) -> None:
        try:
            async for found in inserted(self._db, QUESTIONS.name, "station"):
                if found is None or any(station in self._held for station in found):
                    self._rounds.wake()
        except NoChangeStream:
            logger.warning("this store has no change streams: questions wait up to a second")

    async def _ask(self, offer: Offer) -> None:
        question, id_ = offer.question, offer.id
        connection = self._held.get(question["station"])
        try:
            with (
                bound(
                    command_id=id_,
                    cp_id=question["station"],
                    traceparent=question.get("traceparent"),
                ),
                span(f"OCPP {question['op']}", "client", {"cpo.cp_id": question["station"]}),
            ):
                try:
                    if connection is None or connection.id != offer.connection:
                        raise NotAnswered("the connection was lost", sent=False)
                    if question["deadline"] <= self._db.now():
                        raise NotAnswered("it was taken too late", sent=False)
                    answer = await self._carry_out(
                        question["op"], self._asked(question, connection)
                    )
                except NotAnswered as error:
                    await question_taking.not_answered(self._db, id_, sent=error.sent)
                else:
                    await question_taking.answer(self._db, id_, answer)
        except STORE_ERRORS as error:
            logger.warning("the answer of %s was lost: %s", question["station"], error)
        except Exception:  # nobody awaits this task: its error would be lost
            logger.exception("%s could not be asked %s", question["station"], question["op"])
            await question_taking.not_answered(self._db, id_, sent=None)

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
