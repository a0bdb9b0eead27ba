"""Several processes of one server on one port: uvicorn's supervisor, heard.

A worker that ends is replaced, and that is one line; the supervisor's own log is silent otherwise.
"""

from __future__ import annotations

import logging

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from db_interface.child_process import why_it_ended

logger = logging.getLogger("cpo.serve")


class Workers(Multiprocess):
    """`Workers(config).run()` serves until SIGTERM or SIGINT. Exits the process with code 1 where
    the port is taken, as uvicorn does."""

    def __init__(self, config: Config) -> None:
        super().__init__(config, sockets=[config.bind_socket()])
        self.started = True
        """False once a worker could not start: then none can, and `run` returns."""

    def run(self) -> None:
        logger.info("%d workers serve port %d", self.processes_num, self.config.port)
        super().run()

    def keep_subprocess_alive(self) -> None:
        for process in self.processes:
            # The worker's end of the pipe. As long as it is open here, too, one that dies before it
            # has answered is waited for as if it were slow.
            process.child_conn.close()
        before = list(self.processes)
        super().keep_subprocess_alive()
        self.started = not any(old.exitcode == STARTUP_FAILURE for old in before)
        for old, new in zip(before, self.processes, strict=True):
            if old is not new:
                why = "it cannot be told" if old.exitcode is None else why_it_ended(old.exitcode)
                logger.error("worker %s ended (%s); %s takes its place", old.pid, why, new.pid)
