"""Starts the embedded mongod again when it dies under its owner, and says so in one line.

A thread, because the owner may be a supervisor, a server or a command, with an event loop or
without. It lives as long as the server may: the kernel ends a child when the thread that started
it ends (`die_with_parent`).
"""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable

from db_interface.child_process import why_it_ended
from db_interface.database import StoreUnavailable

logger = logging.getLogger("cpo.store")

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
LIVED_WELL_S = 60.0
"""A server that ran this long is started again without a growing pause."""

Process = Callable[[], "subprocess.Popen[bytes] | None"]


class Keeper:
    """`process` tells the server of the moment, `bring_up` starts one and waits for it.

    `bring_up` raises StoreUnavailable when the server does not come up: it is tried again.
    """

    def __init__(self, process: Process, bring_up: Callable[[], None]) -> None:
        self._process = process
        self._bring_up = bring_up
        self._let_go = threading.Event()
        self._starting = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="mongod keeper", daemon=True)
        self._thread.start()

    def let_go(self) -> None:
        """From now on the server may end; nothing is being started when this returns."""
        self._let_go.set()
        while not self._starting.acquire(timeout=0.1):
            process = self._process()
            if process is not None:
                process.kill()  # the start under way waits for this one; it is journaled
        self._starting.release()

    def join(self) -> None:
        """Wait for the thread; the server has to have ended."""
        self._thread.join(5)

    def _keep(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            process = self._process()
            started = time.monotonic()
            if process is None or self._let_go.is_set():
                return
            code = process.wait()
            if self._let_go.is_set():
                return
            if time.monotonic() - started > LIVED_WELL_S:
                pause_s = FIRST_PAUSE_S
            logger.error(
                "the embedded MongoDB ended (%s); again in %.1f s", why_it_ended(code), pause_s
            )
            if self._let_go.wait(pause_s):
                return
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            self._start_again()

    def _start_again(self) -> None:
        with self._starting:
            if self._let_go.is_set():
                return
            try:
                self._bring_up()
            except StoreUnavailable as error:
                logger.error("%s", error)
            except OSError as error:
                logger.error("the embedded MongoDB cannot be started: %s", error.strerror)
            else:
                logger.warning("the embedded MongoDB answers again")
