"""Child processes that do not outlive us, not even when we are killed; and why one has ended."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def _ask_the_kernel() -> None:
    """In the child, before it becomes another program: SIGTERM when its parent dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


die_with_parent: Callable[[], None] | None = _ask_the_kernel if sys.platform == "linux" else None
"""For `preexec_fn`; None where the kernel has no such thing."""


def end_with_parent() -> None:
    """For a process to call early that `multiprocessing` may have started: it does not outlive
    whoever did. Any other process is left as it is."""
    parent = multiprocessing.parent_process()
    if parent is None or die_with_parent is None:
        return
    die_with_parent()
    if os.getppid() != parent.pid:
        raise SystemExit(1)  # that was before we asked: nobody would tell us


def why_it_ended(code: int) -> str:
    """An exit code in words: "exit code 1", "signal 9, SIGKILL"."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
