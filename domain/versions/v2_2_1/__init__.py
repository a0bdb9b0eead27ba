"""OCPI 2.2.1. The inner model has its form."""

from domain.versions.ocpi_version import OcpiVersion
from domain.versions.v2_2_1.description import DESCRIPTION
from domain.versions.v2_2_1.schemas import MODELS

V2_2_1 = OcpiVersion(number="2.2.1", models=MODELS, description=DESCRIPTION)
