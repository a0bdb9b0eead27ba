"""Whether, where and how much is sent over OTLP; knows no SDK."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cpo_app.setting_values import otlp_headers
from cpo_app.settings import Settings


@dataclass(frozen=True)
class Otlp:
    url: str
    headers: dict[str, str] = field(repr=False)
    share: float
    metrics_every_s: float

    @classmethod
    def of(cls, settings: Settings) -> Otlp | None:
        if not settings.CPO_OTLP_URL:
            return None
        return cls(
            settings.CPO_OTLP_URL,
            otlp_headers(settings.CPO_OTLP_HEADERS),
            settings.CPO_OTLP_SHARE,
            settings.CPO_OTLP_METRICS_S,
        )


def send_over_otlp(settings: Settings, service: str) -> Callable[[], None]:
    """Begin to send, where a collector is named; the SDK is loaded then alone. What is returned
    ends it; the end of the process does so, too."""
    otlp = Otlp.of(settings)
    if otlp is None:
        return lambda: None
    from cpo_app.otlp import collector

    return collector.begin(otlp, service)
