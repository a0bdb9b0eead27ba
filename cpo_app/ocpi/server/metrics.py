"""What peers were answered over OCPI, by the code in the envelope: HTTP 200 may be a refusal."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter

from domain.exchanges.exchange import MODULES

ANSWERS = Counter(
    "cpo_ocpi_answers", "Answers to peers, by their OCPI status code.", ["module", "code"]
)
_SAME = {"details": "versions", "clientinfo": "hubclientinfo"}


def answered(module: str, code: int) -> None:
    """`module`: as the path reads, whoever wrote it."""
    module = _SAME.get(module, module)
    _answers(module if module in MODULES else "other", code).inc()


# Kept: looking a labelled series up costs more than counting in it. There are few of them.
@cache
def _answers(module: str, code: int) -> Counter:
    return ANSWERS.labels(module, str(code))
