"""Importing without collecting garbage: a third of what a start costs.

Imports make hundreds of thousands of objects that all stay; the collector would look through them
again and again, and find nothing. Afterwards they are frozen: no later collection visits them.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def quick_imports() -> Iterator[None]:
    """Import what is needed inside; for the start of a process only."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
