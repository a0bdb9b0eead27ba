"""What a station and we have said to each other, each question beside its answer, as people look
for it: newest first, page by page, and one of them whole.

An answer bears its question's id and comes after it. Messages are walked from the newest on, so
that an answer is met before its question; what a page may look through is bounded.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum

import orjson

from db_interface.database import Database
from domain.ocpp import message_log
from domain.ocpp.message_log import Message

MAX_LOOKED_THROUGH = 5000
ANSWERED_WITHIN = timedelta(minutes=10)
"""An answer that came later than that is not looked for."""
_ANSWERS = ("CALLRESULT", "CALLERROR")
_FINE = frozenset({"Accepted", "Scheduled", "RebootRequired", "Valid", "Unlocked", "Finishing"})
_KEY = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{1,16})")
_STATUS = re.compile(r'"status"\s*:\s*"([A-Za-z0-9]{1,40})"')
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Outcome(str, Enum):
    OK = "ok"
    REFUSED = "refused"  # the answer's status is not Accepted
    ERROR = "error"  # a CALLERROR
    NONE = "no answer"
    UNREADABLE = "unreadable"


class NoSuchPlace(ValueError):
    """That is no place in a list that we gave out."""


@dataclass(frozen=True)
class Wanted:
    """What is looked for; all of it must hold. `text`: in what was said, in ids or actions;
    `from_us`: who has asked."""

    action: str = ""
    message_id: str = ""
    text: str = ""
    from_us: bool | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, talk: Talk) -> bool:
        if self.action and talk.action.lower() != self.action.lower():
            return False
        if self.message_id and talk.message_id != self.message_id:
            return False
        if self.from_us is not None and talk.from_us != self.from_us:
            return False
        if self.outcome is not None and talk.outcome is not self.outcome:
            return False
        return not self.text or talk.says(self.text)


@dataclass(frozen=True)
class Talk:
    """A question, and its answer where one came; `key` is what it is found by."""

    key: str
    question: Message
    answer: Message | None

    @property
    def at(self) -> datetime:
        return self.question["at"]

    @property
    def from_us(self) -> bool:
        return self.question["from_us"]

    @property
    def action(self) -> str:
        return self.question["action"]

    @property
    def message_id(self) -> str:
        return self.question["message_id"]

    @property
    def took_ms(self) -> float | None:
        if self.answer is None:
            return None
        return (self.answer["at"] - self.at) / timedelta(milliseconds=1)

    @property
    def status(self) -> str | None:
        """The word that the answer begins with: Accepted, Rejected, the error's code."""
        if self.answer is None:
            return None
        name = "code" if self.answer["kind"] == "CALLERROR" else "status"
        return _word_of(self.answer["content"], name)

    @property
    def outcome(self) -> Outcome:
        if self.question["kind"] == "unreadable":
            return Outcome.UNREADABLE
        if self.question["kind"] == "SEND":
            return Outcome.OK
        if self.answer is None:
            return Outcome.NONE
        if self.answer["kind"] == "CALLERROR":
            return Outcome.ERROR
        status = self.status
        return Outcome.OK if status is None or status in _FINE else Outcome.REFUSED

    def says(self, text: str) -> bool:
        wanted = text.lower()
        parts = (self.action, self.message_id, self.question["content"])
        said = (*parts, self.answer["content"]) if self.answer is not None else parts
        return any(wanted in part.lower() for part in said)


@dataclass(frozen=True)
class Page:
    """`older`: where the next one goes on; None: that was all. `cut`: so much was looked through
    in vain that the search has to be gone on with."""

    talks: Sequence[Talk]
    older: str | None
    cut: bool = False


async def page(
    db: Database,
    station: str,
    wanted: Wanted,
    *,
    before: str | None = None,
    limit: int = 50,
    look_through: int = MAX_LOOKED_THROUGH,
) -> Page:
    """Raises NoSuchPlace."""
    begin = None if before is None else _place(before)
    talks: list[Talk] = []
    looked = 0
    last: Message | None = None
    async for message, answer in _walked(db, station, wanted, begin):
        looked += 1
        last = message
        if message["kind"] not in _ANSWERS:
            talk = Talk(_key(message), message, answer)
            if wanted.takes(talk):
                talks.append(talk)
        if len(talks) > limit or looked >= look_through:
            break
    else:
        return Page(talks, None)
    if len(talks) > limit:
        return Page(talks[:limit], talks[limit - 1].key)
    return Page(talks, None if last is None else _key(last), cut=True)


async def one(db: Database, station: str, key: str) -> Talk | None:
    """With its answer; None: it is not kept (any more)."""
    try:
        at, n = _place(key)
    except NoSuchPlace:
        return None
    found = [
        message
        for message in await message_log.between(db, station, at, at, limit=100)
        if message["n"] == n
    ]
    if not found:
        return None
    question, around = found[0], ANSWERED_WITHIN
    later = await message_log.between(
        db, station, question["at"], question["at"] + around, limit=MAX_LOOKED_THROUGH
    )
    answers = (m for m in later if _answers(m, question) and _order(m) > _order(question))
    return Talk(_key(question), question, next(answers, None))


def indented(content: str) -> str:
    """What was said, for people; what was cut off stays as it is."""
    try:
        return orjson.dumps(orjson.loads(content), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return content


async def _walked(
    db: Database, station: str, wanted: Wanted, begin: tuple[datetime, int] | None
) -> AsyncIterator[tuple[Message, Message | None]]:
    """From behind `begin` on to the oldest: each message, and, of a question, its answer. The
    answers to the first questions stand before `begin`: it is begun a little earlier."""
    ends = [one + ANSWERED_WITHIN for one in (wanted.until, begin and begin[0]) if one]
    answers: dict[tuple[str, bool], Message] = {}
    stream = message_log.walked(db, station, since=wanted.since, until=min(ends) if ends else None)
    async for message in stream:
        asked = (message["message_id"], not message["from_us"])
        if message["kind"] in _ANSWERS:
            answers[asked] = message
        if begin is not None and _order(message) >= begin:
            continue
        if wanted.until is not None and message["at"] >= wanted.until:
            continue
        if message["kind"] in _ANSWERS:
            yield message, None
        else:
            yield message, answers.pop((message["message_id"], message["from_us"]), None)


def _answers(answer: Message, question: Message) -> bool:
    return (
        answer["kind"] in _ANSWERS
        and question["kind"] == "CALL"
        and answer["message_id"] == question["message_id"]
        and answer["from_us"] != question["from_us"]
    )


def _order(message: Message) -> tuple[datetime, int]:
    return message["at"], message["n"]


def _key(message: Message) -> str:
    milliseconds = (message["at"] - _EPOCH) // timedelta(milliseconds=1)
    return f"{milliseconds:x}-{message['n']:x}"


def _place(key: str) -> tuple[datetime, int]:
    found = _KEY.fullmatch(key)
    if found is None:
        raise NoSuchPlace(key)
    try:
        return _EPOCH + timedelta(milliseconds=int(found[1], 16)), int(found[2], 16)
    except OverflowError:
        raise NoSuchPlace(key) from None


def _word_of(content: str, name: str) -> str | None:
    """A status of the answer, or of what it says of the card."""
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError:
        found = _STATUS.search(content)
        return found[1] if found and name == "status" else None
    if not isinstance(said, dict):
        return None
    for place in (said, said.get("idTagInfo"), said.get("idTokenInfo")):
        if isinstance(place, dict) and isinstance(place.get(name), str):
            return str(place[name])
    return None
