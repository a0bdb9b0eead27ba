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
from cpo_app.conformance.sections import Section

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
    """file, number and heading of the text of the version in question; "" where it says nothing"""
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True)
class Rule(Generic[Asked]):
    """`text`: the rule in one sentence; `section`: where the OCPI texts say so."""

    text: str
    section: Section
    test: Callable[[Asked], Awaitable[None]]

    async def judge(self, probe: Asked) -> Finding:
        said = self.section.in_text_of(probe.version)
        if said is None:
            reason = f"OCPI {probe.version.number} says nothing of it"
            return Finding(self.text, "", Verdict.skipped, reason)
        verdict, detail = await self._judged(probe)
        return Finding(self.text, said, verdict, detail)

    async def _judged(self, probe: Asked) -> tuple[Verdict, str]:
        try:
            await self.test(probe)
        except (Broken, Unusable) as seen:
            return Verdict.failed, str(seen)
        except Advised as seen:
            return Verdict.advised, str(seen)
        except Untested as reason:
            return Verdict.skipped, str(reason)
        return Verdict.passed, ""


def demand(condition: object, seen: str) -> None:
    """Raise Broken with what was seen unless the condition holds."""
    if not condition:
        raise Broken(seen)
