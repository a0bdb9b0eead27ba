"""OCPI 2.2.1. The inner model has its form, and more fields: what it reads stays as it is."""

from domain.versions.ocpi_version import OcpiVersion, as_it_is
from domain.versions.v2_2_1.description import DESCRIPTION
from domain.versions.v2_2_1.rendering import RENDERERS
from domain.versions.v2_2_1.schemas import MODELS

V2_2_1 = OcpiVersion(
    number="2.2.1",
    models=MODELS,
    description=DESCRIPTION,
    renderers=RENDERERS,
    readers=dict.fromkeys(MODELS, as_it_is),
)
