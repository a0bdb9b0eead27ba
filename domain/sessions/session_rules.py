"""What the operator decides about sessions, for everybody who changes one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """`update_every_s`: a Session that merely grows is published no more often than this.
    `cdr_zero`: sessions that cost nothing get a CDR, too. `transparency_url`: where drivers can
    check signed meter data (SignedData.url). `max_power_factor`: energy that is more than so
    many times what its connector can give is not believed; 0: it is."""

    update_every_s: float = 10.0
    cdr_zero: bool = True
    transparency_url: str = ""
    max_power_factor: float = 1.1
