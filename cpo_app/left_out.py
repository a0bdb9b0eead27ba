"""What libraries load and look at while a process starts, and no process of ours needs: left out.

Nothing that is served, checked or answered differs by it (the tests hold that); a worker of
`cpo serve` starts with a third less processor time and a fifth less memory.
"""

from __future__ import annotations

import sys
from types import ModuleType

_LIBRARY_ROUTERS = "py_ocpi.routers"


def what_no_process_needs() -> None:
    """For the start of a process; a second time it changes nothing. It imports nothing itself:
    what models cost, domain/schemas/model_checks.py mends where the first schema is imported."""
    # httpx's command line, with click and all of rich: where one of them is not installed, it does
    # without, and so it does here.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]


def the_librarys_routers() -> None:
    """The routes of extrawest-ocpi itself, both sides of all versions: `get_application()` serves
    those that cpo_app/ocpi/server/app.py puts into its tables in their place. For a process that
    runs no other OCPI application, before it imports the library; afterwards it is too late, and
    this does nothing."""
    if "py_ocpi" in sys.modules:
        return
    empty = ModuleType(_LIBRARY_ROUTERS, "No routes: none of the library's own are served.")
    for version in ("v_2_1_1", "v_2_2_1"):
        for role in ("cpo", "emsp"):
            setattr(empty, f"{version}_{role}_router", {})
    sys.modules[_LIBRARY_ROUTERS] = empty
