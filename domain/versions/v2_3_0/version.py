"""OCPI 2.3.0, second edition."""

from domain.versions.ocpi_version import OcpiVersion
from domain.versions.v2_3_0.description import DESCRIPTION
from domain.versions.v2_3_0.reading import READERS
from domain.versions.v2_3_0.rendering import RENDERERS
from domain.versions.v2_3_0.schemas import MODELS

V2_3_0 = OcpiVersion(
    number="2.3.0",
    models=MODELS,
    description=DESCRIPTION,
    renderers=RENDERERS,
    readers=READERS,
)
