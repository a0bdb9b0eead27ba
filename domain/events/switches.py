"""What the operator does to the event stream: has it told once more, or ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.events import marks, stream
from domain.events.resync import mark_from
from domain.times import format_datetime

_ABOUT = audit.setting("CPO_KAFKA_BROKERS")


class NoStream(ValueError):
    """There is no stream that anything is kept for."""

    def __init__(self) -> None:
        super().__init__("no events are kept: a server with CPO_KAFKA_BROKERS begins it")


async def resync(
    store: DbInterface, since: datetime | None, kinds: Sequence[str]
) -> Mapping[str, int]:
    """Tell what has changed from then on (None: all) once more: how many of each kind. Raises
    NoStream."""

    async def begin(tx: Tx) -> None:
        if await stream.stream_of(tx) is None:
            raise NoStream
        await stream.try_now(tx)
        told = {"kinds": list(kinds), "from": None if since is None else format_datetime(since)}
        await audit.record(tx, "events.resync", _ABOUT, after=told)

    await store.transact(begin)
    return await mark_from(store, since, kinds)


async def end(store: DbInterface) -> int:
    """Keep nothing for the stream any more, and drop what waits: how much that was. Raises
    NoStream."""

    async def work(tx: Tx) -> None:
        if not await stream.forget(tx):
            raise NoStream
        await audit.record(tx, "events.off", _ABOUT)

    await store.transact(work)
    stream.look_again(store.db)
    # Who has not heard of it yet goes on for a few seconds: a later stream drops that.
    return await marks.forget(store.db, store.db.now() + stream.LOOKED_UP_EVERY)
