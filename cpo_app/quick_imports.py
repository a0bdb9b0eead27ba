"""Importing without collecting garbage, and without what libraries load for nobody: more than half
of what a start would cost.

Imports make hundreds of thousands of objects that all stay; the collector would look through them
again and again, and find nothing. Afterwards they are frozen: no later collection visits them.

A request makes thousands of objects that are gone with it, without the collector's help: it comes
less often than Python has it, which spares a twentieth of what a list costs.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

from cpo_app.left_out import what_no_process_needs

YOUNG_OBJECTS = 10_000
"""So many more than before, and the collector looks through them (Python: 700)."""


@contextlib.contextmanager
def quick_imports() -> Iterator[None]:
    """Import what is needed inside; for the start of a process only."""
    gc.disable()
    what_no_process_needs()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
        gc.enable()


def for_good() -> None:
    """All that there is now stays as long as the process: no later collection visits it. A server's
    routes and models took 35 ms to look through, while nobody was answered."""
    gc.freeze()
