"""OCPI 2.3.0, second edition."""

from domain.versions.later import Later
from domain.versions.ocpi_version import OcpiVersion
from domain.versions.v2_3_0.description import DESCRIPTION

_HERE = "domain.versions.v2_3_0"

V2_3_0 = OcpiVersion(
    number="2.3.0",
    models=Later(f"{_HERE}.schemas", "MODELS"),
    description=DESCRIPTION,
    renderers=Later(f"{_HERE}.rendering", "RENDERERS"),
    readers=Later(f"{_HERE}.reading", "READERS"),
)
