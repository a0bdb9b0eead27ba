"""An eMSP that receives, as whoever measures handles it: bench/receiver.py in its process."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator

from bench.processes import talking


class Emsp:
    """A receiver's process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout
        self.port = int(process.stdout.readline())

    def tell(self, word: str) -> list[tuple[str, str, float]]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def came(self) -> list[tuple[str, str, float]]:
        """(path, name, time) of the requests since the last call."""
        return self.tell("came")


@contextlib.contextmanager
def receiving() -> Iterator[Emsp]:
    with talking("bench.receiver") as process:
        yield Emsp(process)
