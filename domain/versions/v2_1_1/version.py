"""OCPI 2.1.1, second edition."""

from domain.versions.ocpi_version import ObjectKind, OcpiVersion
from domain.versions.v2_1_1.description import DESCRIPTION
from domain.versions.v2_1_1.reading import PATCH_NAMES, READERS
from domain.versions.v2_1_1.rendering import RENDERERS
from domain.versions.v2_1_1.schemas import MODELS

V2_1_1 = OcpiVersion(
    number="2.1.1",
    models=MODELS,
    description=DESCRIPTION,
    renderers=RENDERERS,
    readers=READERS,
    with_whole_location=frozenset({ObjectKind.SESSION, ObjectKind.CDR}),
    patch_names=PATCH_NAMES,
)
