"""Who publishes, and what its operator says for all of its stations."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Publisher:
    """`country`, `national_id`: the publication's creator, as its access point knows it.

    `language`: of names and addresses, of which OCPI does not say it. `operator`: of locations that
    name none. `service_type`: whether there is staff (DATEX II's ServiceTypeEnum).
    """

    country: str
    national_id: str
    language: str = "en"
    operator: str = ""
    service_type: str = "unattended"
