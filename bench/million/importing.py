"""`cpo locations import` as the operator runs it, into the large store; then the same again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import orjson

from bench import locations
from bench.million.side import Scale, Side

_FIRST = 20_000_000
"""Numbers of locations that are in no store yet."""
_LOOK_EVERY_S = 0.05


async def imports(side: Side, scale: Scale, directory: Path) -> dict[str, float]:
    file = directory / "locations.json"
    with file.open("wb") as out:
        for number in range(scale.imported):
            out.write(b",\n" if number else b"[\n")
            out.write(orjson.dumps(locations.location(_FIRST + number)))
        out.write(b"\n]\n")
    new_s, memory_mb = await asyncio.to_thread(_import, side, file, f"({scale.imported} new")
    again_s, _ = await asyncio.to_thread(_import, side, file, f"unchanged {scale.imported}")
    return {
        "import_per_s": scale.imported / new_s,
        "import_memory_mb": memory_mb,
        "import_again_per_s": scale.imported / again_s,
    }


def _import(side: Side, file: Path, expected: str) -> tuple[float, float]:
    """Seconds that it took, and the most memory that it had, in MB."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "cpo_app.cli", "locations", "import", str(file)],
        env={**os.environ, **side.settings()},
        stdout=subprocess.PIPE,
        text=True,
    )
    most_mb = 0.0
    while process.poll() is None:
        # Not what wait4() tells: that is never less than this process itself had at the fork.
        most_mb = max(most_mb, _most_mb(process.pid))
        time.sleep(_LOOK_EVERY_S)
    said, _ = process.communicate()
    if process.returncode or expected not in said:
        raise RuntimeError(f"the import says {said!r}")
    return time.monotonic() - began, most_mb


def _most_mb(pid: int) -> float:
    """The most that it has had until now; 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0
