"""Child processes that do not outlive us, not even when we are killed."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def _ask_the_kernel() -> None:
    """In the child, before it becomes another program: SIGTERM when its parent dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


die_with_parent: Callable[[], None] | None = _ask_the_kernel if sys.platform == "linux" else None
"""For `preexec_fn`; None where the kernel has no such thing."""
