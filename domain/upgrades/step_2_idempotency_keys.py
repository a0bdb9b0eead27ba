"""What makes the same request the same command was the field `slot`; it is `idempotency_key`."""

from __future__ import annotations

from db_interface.interface import DbInterface
from domain.commands.command_queue import COMMANDS


async def rename_slots(store: DbInterface) -> None:
    """In one go: commands live for a month, and few of them at a time hold their key."""
    await COMMANDS.of(store.db).update_many(
        {"slot": {"$exists": True}, "idempotency_key": {"$exists": False}},
        [{"$set": {"idempotency_key": "$slot"}}, {"$unset": "slot"}],
    )
