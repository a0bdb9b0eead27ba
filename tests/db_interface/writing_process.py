"""A process that writes all the time: `python -m tests.db_interface.writing_process URL NAME`.

Each object's id is a line on standard output once it is committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import sys
from functools import partial

from db_interface.database import STORE_ERRORS, Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from tests.db_interface.pulling import write

SIDE_BY_SIDE = 4
PAUSE_S = 0.01
"""Others want to get on, too."""


async def main(url: str, name: str) -> None:
    store = DbInterface(Database.connect(url))
    numbers = itertools.count(1)

    async def work(tx: Tx, number: int) -> None:
        await write(tx, f"{name}-{number}", number)
        await asyncio.sleep(random.choice([0, 0, 0.03]))

    async def keep_writing() -> None:
        for number in numbers:
            with contextlib.suppress(*STORE_ERRORS):  # the host has other things to do
                await store.transact(partial(work, number=number))
                print(f"{name}-{number}", flush=True)
            await asyncio.sleep(PAUSE_S)

    await asyncio.gather(*(keep_writing() for _ in range(SIDE_BY_SIDE)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
