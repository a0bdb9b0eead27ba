"""Workers of a small app, one of whose pages holds its worker's loop up for good.

`python -m tests.cpo_app.cli.hanging_workers PORT LIMIT_S`: LIMIT_S for a worker to answer.
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

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    workers.ENDS_WITHIN_S = 1.0
    config = Config(
        "tests.cpo_app.cli.hanging_workers:app",
        port=int(sys.argv[1]),
        workers=2,
        timeout_worker_healthcheck=int(sys.argv[2]),
        log_level="warning",
    )
    workers.Workers(config).run()
