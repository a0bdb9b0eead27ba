"""Workers of a small app, one of whose pages holds its worker's loop up for good.

`python -m tests.cpo_app.cli.hanging_workers PORT`: workers may take their time to start, until
SIGUSR1 makes their supervisor impatient; SIGUSR2 makes it patient again.
"""

from __future__ import annotations

import logging
import os
import sys
import time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn import Config

from cpo_app.cli import workers


async def pid(_: Request) -> Response:
    return PlainTextResponse(str(os.getpid()))


async def hold(_: Request) -> Response:
    sys.stderr.write(f"{os.getpid()} is held\n")
    time.sleep(3600)  # noqa: ASYNC251 - that is what it is for
    return Response()


app = Starlette(routes=[Route("/", pid), Route("/hold", hold)])


class Supervisor(workers.Workers):
    def handle_usr1(self) -> None:
        self._max_turns = 4

    def handle_usr2(self) -> None:
        self._max_turns = 10_000


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    workers.ENDS_WITHIN_S = 1.0
    config = Config(
        "tests.cpo_app.cli.hanging_workers:app",
        port=int(sys.argv[1]),
        workers=2,
        timeout_worker_healthcheck=600,
        log_level="warning",
    )
    Supervisor(config).run()
