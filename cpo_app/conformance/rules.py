"""What a rule is and how it ends: a verdict with the fact that decided it.

A rule's function returns None when all is well, or raises: `Broken` (the text demands it),
`Advised` (the text only advises it), `Untested` (there was nothing to look at).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from cpo_app.conformance.probe import Probe, Unusable

Asked = TypeVar("Asked", bound=Probe, contravariant=True)


class Verdict(str, Enum):
    passed = "PASS"
    failed = "FAIL"
    advised = "ADVICE"
    skipped = "SKIP"


class Broken(Exception):
    """The rule does not hold; the text says what was seen."""


class Advised(Exception):
    """What the text advises is not done."""


class Untested(Exception):
    """Nothing was there to test the rule on."""


@dataclass(frozen=True)
class Finding:
    rule: str
    section: str
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True)
class Rule(Generic[Asked]):
    """`text`: the rule in one sentence; `section`: file and heading of the OCPI text."""

    text: str
    section: str
    test: Callable[[Asked], Awaitable[None]]

    async def judge(self, probe: Asked) -> Finding:
        try:
            await self.test(probe)
        except Broken as seen:
            return self._found(Verdict.failed, str(seen))
        except Unusable as seen:
            return self._found(Verdict.failed, str(seen))
        except Advised as seen:
            return self._found(Verdict.advised, str(seen))
        except Untested as reason:
            return self._found(Verdict.skipped, str(reason))
        return self._found(Verdict.passed, "")

    def _found(self, verdict: Verdict, detail: str) -> Finding:
        return Finding(self.text, self.section, verdict, detail)


def demand(condition: object, seen: str) -> None:
    """Raise Broken with what was seen unless the condition holds."""
    if not condition:
        raise Broken(seen)
