"""The versions there are, lowest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain.versions.ocpi_version import OcpiVersion
from domain.versions.v2_1_1.version import V2_1_1
from domain.versions.v2_2_1.version import V2_2_1
from domain.versions.v2_3_0.version import V2_3_0

INNER_VERSION = V2_2_1
"""The version whose form the inner model has."""

_IN_ORDER = (V2_1_1, V2_2_1, V2_3_0)
VERSIONS: Mapping[str, OcpiVersion] = {version.number: version for version in _IN_ORDER}
"""By number, lowest first."""


def ids_of_cdr(inner_id: str, form: OcpiVersion) -> list[str]:
    """All ids under which a platform may have a CDR of ours: first that of the version that it
    speaks now, then those of others, which it may have spoken when it was sent."""
    forms = (form, *_IN_ORDER)
    return list(dict.fromkeys(version.cdr_id(inner_id) for version in forms))


def version_of(number: str) -> OcpiVersion | None:
    return VERSIONS.get(number)


def highest_common(ours: Iterable[str], theirs: Iterable[str]) -> OcpiVersion | None:
    """The highest version that both lists have; numbers that we do not know count for nothing."""
    both = set(ours) & set(theirs)
    return next((version for version in reversed(_IN_ORDER) if version.number in both), None)
