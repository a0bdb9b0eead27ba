"""OCPI 2.1.1, second edition."""

from domain.versions.later import Later
from domain.versions.ocpi_version import ObjectKind, OcpiVersion
from domain.versions.v2_1_1.cdr_ids import cdr_id
from domain.versions.v2_1_1.description import DESCRIPTION

_HERE = "domain.versions.v2_1_1"

V2_1_1 = OcpiVersion(
    number="2.1.1",
    models=Later(f"{_HERE}.schemas", "MODELS"),
    description=DESCRIPTION,
    renderers=Later(f"{_HERE}.rendering", "RENDERERS"),
    readers=Later(f"{_HERE}.reading", "READERS"),
    with_whole_location=frozenset({ObjectKind.SESSION, ObjectKind.CDR}),
    with_current_tariffs=frozenset({ObjectKind.LOCATION, ObjectKind.SESSION, ObjectKind.TARIFF}),
    revision=2,
    cdr_id=cdr_id,
    patch_names=Later(f"{_HERE}.reading", "PATCH_NAMES"),
)
