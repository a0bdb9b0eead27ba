"""How exchanges with peers are recorded: the settings as rules, and what is counted of it."""

from __future__ import annotations

from functools import lru_cache

from prometheus_client import Counter

from cpo_app.settings import Settings
from domain.exchanges.document import Bounds
from domain.exchanges.recorder import Rules

EXCHANGES = Counter(
    "cpo_exchanges", "Exchanges with peers, by what became of their record.", ["record"]
)


def counted(what: str, number: int) -> None:
    """`what`: kept or dropped."""
    _series(what).inc(number)


@lru_cache
def _series(what: str) -> Counter:
    """Found once: at full load this is counted with each request."""
    return EXCHANGES.labels(what)


def recording_rules(settings: Settings) -> Rules:
    excepted = (one.strip() for one in settings.CPO_EXCHANGES_EXCEPT.split(","))
    return Rules(
        on=settings.CPO_EXCHANGES,
        bounds=Bounds(settings.CPO_EXCHANGES_BODY_BYTES, settings.CPO_EXCHANGES_PAGE_BYTES),
        routine_per_s=settings.CPO_EXCHANGES_PER_SECOND,
        except_peers=frozenset(filter(None, excepted)),
    )
