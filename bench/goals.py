"""What a figure has to reach, and whether it did. Pure."""

from __future__ import annotations

from dataclasses import dataclass

REACHED, MISSED, NO_GOAL = "reached", "MISSED", ""


@dataclass(frozen=True)
class Goal:
    """A bound on one figure; `why` says in a few words what the figure compares."""

    at_least: float | None = None
    at_most: float | None = None
    why: str = ""

    def __str__(self) -> str:
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return f"<= {self.at_most:g}" if self.at_most is not None else ""

    def verdict(self, measured: float) -> str:
        """REACHED, MISSED, or NO_GOAL for a figure that is only shown."""
        if self.at_least is None and self.at_most is None:
            return NO_GOAL
        low_enough = self.at_most is None or measured <= self.at_most
        high_enough = self.at_least is None or measured >= self.at_least
        return REACHED if low_enough and high_enough else MISSED
