"""A finding of the doctor: a value. Its texts name settings and say what to do, never a secret."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(str, Enum):
    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """`do` is empty where all is well."""

    check: str
    level: Level
    said: str
    do: str = ""

    def __post_init__(self) -> None:
        if (self.level is Level.OK) == bool(self.do):
            raise ValueError(f"{self.check}: what is wrong says what to do, and only that")


def ok(check: str, said: str) -> Finding:
    return Finding(check, Level.OK, said)


def warn(check: str, said: str, do: str) -> Finding:
    return Finding(check, Level.WARN, said, do)


def fail(check: str, said: str, do: str) -> Finding:
    return Finding(check, Level.FAIL, said, do)
