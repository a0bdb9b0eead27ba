"""What a start costs: a process loads no package that its work does not need."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cpo_app.cli.app import Commands

LIBRARY = {"py_ocpi"}
WEB = {"fastapi", "jinja2"}
STORE = {"motor", "pymongo"}
BY_SETTING = {"opentelemetry", "requests", "confluent_kafka"}

COMMANDS = tuple({place.partition(":")[0] for place in Commands.where.values()})
SERVERS = {f"cpo_app.cli.{name}" for name in ("servers", "hub", "emsp", "up", "ocpp")}

LIGHT = [
    # Any command beside the servers: it looks at the store, or calls a peer.
    (tuple(m for m in COMMANDS if m not in SERVERS), LIBRARY | WEB | BY_SETTING),
    (("cpo_app.cli",), LIBRARY | WEB | STORE | {"httpx", "pydantic"}),
    (tuple(SERVERS), LIBRARY | BY_SETTING | {"jinja2"}),
    (("cpo_app.worker",), BY_SETTING | {"rich", "py_ocpi.modules.locations.v_2_2_1.api"}),
    (("cpo_app.registry.server",), LIBRARY | BY_SETTING | {"jinja2", "httpx"}),
    (("cpo_app.cli.charge_point",), LIBRARY | WEB | STORE),
    (("cpo_app.cli.price",), LIBRARY | WEB | STORE | {"httpx", "pydantic"}),
]


@pytest.mark.parametrize(("modules", "unwanted"), LIGHT)
def test_a_process_loads_what_it_needs(modules: tuple[str, ...], unwanted: set[str]) -> None:
    code = f"""
import sys
from cpo_app.quick_imports import quick_imports  # as a command's module is imported
with quick_imports():
    import {", ".join(modules)}
print(*({unwanted!r} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_help_needs_no_command() -> None:
    code = (
        "import sys, cpo_app.cli; print('cpo_app.backend' in sys.modules, 'httpx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
