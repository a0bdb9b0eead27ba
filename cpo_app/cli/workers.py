"""Several processes of one server on one port: uvicorn's supervisor, heard.

A worker that ends or hangs is replaced, and that is one line; the supervisor's own log is silent
otherwise. It waits for no worker: each is asked whether it lives, and its answer is looked for at
the next turn, so that SIGTERM is heard between any two.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from socket import socket

from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from db_interface.child_process import why_it_ended

logger = logging.getLogger("cpo.serve")

TURN_S = 0.5
"""Between two looks of uvicorn's supervisor."""
ENDS_WITHIN_S = 8.0
"""A worker that was told to end, and has not ended by then, is killed."""


class HeardServer(Server):
    """Its loop is known to another thread, which asks whether it turns."""

    loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def wait_for_loop(self) -> None:
        """Until it has turned, once it serves: while it starts, imports hold it up."""
        if self.loop is None or not self.started:
            return
        turned = threading.Event()
        try:
            self.loop.call_soon_threadsafe(turned.set)
        except RuntimeError:  # it is closed
            return
        turned.wait()


class Worker(Process):
    """One that answers only while its loop turns: uvicorn's answers from a thread of its own,
    whatever holds the loop up."""

    asked = False
    turns_waited = 0
    """Of the supervisor, for the answer that is due. Turns, not seconds: where the host was
    suspended, or the supervisor itself had no processor, nobody was slow."""
    is_ready_to_serve = False
    told_to_end: float | None = None

    @property
    def server(self) -> HeardServer:
        if not isinstance(self._server, HeardServer):
            self._server = HeardServer(config=self.config)
        return self._server

    def pong(self) -> None:
        self.child_conn.recv()
        self.server.wait_for_loop()
        self.child_conn.send(self.server.started)

    def start(self) -> None:
        super().start()
        # The worker's end of the pipe. As long as it is open here, too, one that dies before it
        # has answered is waited for as if it were slow.
        self.child_conn.close()

    def lives(self, max_turns: float) -> bool:
        """Waits for nothing. False: it has ended, or has not answered for so many turns."""
        if not self.process.is_alive():
            return False
        try:
            if not self.asked:
                self.parent_conn.send(b"ping")
                self.asked, self.turns_waited = True, 0
            elif self.parent_conn.poll(0):
                self.is_ready_to_serve = self.parent_conn.recv()
                self.asked = False
            else:
                self.turns_waited += 1
        except (OSError, EOFError):
            return False
        return self.turns_waited < max_turns

    def terminate(self) -> None:
        self.told_to_end = time.monotonic()
        super().terminate()

    def join(self) -> None:
        """One that was told to end, and hangs, does not hold up whoever waits for it."""
        if self.told_to_end is not None:
            left_s = self.told_to_end + ENDS_WITHIN_S - time.monotonic()
            self.process.join(max(0.0, left_s))
            if self.process.is_alive():
                logger.error("worker %s does not end, and is killed", self.pid)
                self.process.kill()
        self.process.join()


class Workers(Multiprocess):
    """`Workers(config).run()` serves until SIGTERM or SIGINT. Exits the process with code 1 where
    the port is taken, as uvicorn does. A worker that does not answer for
    `timeout_worker_healthcheck` seconds is killed and replaced."""

    processes: list[Worker]  # type: ignore[assignment]

    def __init__(self, config: Config) -> None:
        super().__init__(config, sockets=[config.bind_socket()])
        self._max_turns = config.timeout_worker_healthcheck / TURN_S
        self.started = True
        """False once a worker could not start: then none can, and `run` returns."""

    def run(self) -> None:
        logger.info("%d workers serve port %d", self.processes_num, self.config.port)
        super().run()

    def init_processes(self) -> None:
        self.processes = [self._begun() for _ in range(self.processes_num)]

    def _begun(self) -> Worker:
        worker = Worker(self.config, self.sockets)
        worker.start()
        return worker

    def keep_subprocess_alive(self) -> None:
        for number, old in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if old.lives(self._max_turns):
                continue
            hangs = old.process.is_alive() and old.turns_waited >= self._max_turns
            old.kill()
            old.join()
            if old.exitcode == STARTUP_FAILURE:
                self.started = False
                self.should_exit.set()
                return
            new = self.processes[number] = self._begun()
            logger.error("worker %s %s; %s takes its place", old.pid, _why(old, hangs), new.pid)

    def restart_all(self) -> None:
        """One after another, each once its heir serves."""
        for number, old in enumerate(self.processes):
            new = self._begun()
            if not self._comes_to_serve(new):
                new.kill()
                new.join()
                logger.error("worker %s did not come to serve: %s stays", new.pid, old.pid)
                return
            self.processes[number] = new
            old.terminate()
            old.join()

    def _comes_to_serve(self, worker: Worker) -> bool:
        for _ in range(round(self._max_turns)):
            if {signal.SIGTERM, signal.SIGINT}.intersection(self.signal_queue):
                return False  # they are handled next
            if not worker.lives(self._max_turns):
                return False
            if worker.is_ready_to_serve:
                return True
            time.sleep(TURN_S)
        return False

    def handle_ttin(self) -> None:
        self.processes_num += 1
        self.processes.append(self._begun())


def _why(worker: Worker, hangs: bool) -> str:
    if hangs:
        return f"has not answered for {worker.config.timeout_worker_healthcheck} s and was killed"
    if worker.exitcode is None:
        return "ended (it cannot be told)"
    return f"ended ({why_it_ended(worker.exitcode)})"
