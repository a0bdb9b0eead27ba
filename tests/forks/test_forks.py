"""What is forked is as if it had been started: its own in all that a test can see."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests import forks
from tests.e2e.processes import alive

TELLS = """
import os, random, sys
from domain.exchanges.exchange import new_id
from domain.outbox import crash_points
from domain.times import utc_now
print(sys.argv[1:], os.getcwd(), os.environ["TOLD"], "HOME" in os.environ)
print(new_id(utc_now())[-6:], random.random(), crash_points._name)
print(sys.stdin.read(), file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def tells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("forks")
    (directory / "tells.py").write_text(TELLS)
    return directory


def test_it_has_its_own_arguments_directory_environment_and_chance(tells: Path) -> None:
    own = []
    for code in ("0", "3"):
        environment = {"TOLD": f"told {code}", "CPO_CRASH_AT": f"at-{code}"}
        done = forks.ran("tells", code, cwd=tells, env=environment, timeout_s=60)
        first, second = done.stdout.splitlines()
        assert first == f"['{code}'] {tells} told {code} False"
        assert (done.returncode, done.stderr) == (int(code), "\n")
        own.append(second.split())
        assert own[-1][2] == f"at-{code}"
    assert all(here != there for here, there in zip(*own, strict=True))


def test_it_is_killed_and_stopped_as_any_process(tells: Path) -> None:
    for number, code in ((signal.SIGKILL, -9), (signal.SIGTERM, -15)):
        with forks.talking("tells", "0", cwd=tells, env={"TOLD": ""}) as fork:
            assert alive(fork.pid) and os.getsid(fork.pid) == fork.pid
            assert fork.poll() is None
            fork.send_signal(number)
            assert fork.wait(20) == code == fork.poll()
        assert not alive(fork.pid)


def test_what_it_is_asked_in_vain_is_said(tells: Path) -> None:
    done = forks.ran("tells", "no number", cwd=tells, env={"TOLD": ""}, timeout_s=60)
    assert done.returncode == 1 and "ValueError" in done.stderr
