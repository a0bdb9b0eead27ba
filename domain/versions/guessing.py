"""Which kind of object some JSON is, by the fields that it has."""

from __future__ import annotations

from collections.abc import Iterable

from db_interface.json_data import JsonMapping
from domain.versions.ocpi_version import ObjectKind, OcpiVersion


def kinds_like(
    data: JsonMapping, version: OcpiVersion, among: Iterable[ObjectKind]
) -> list[ObjectKind]:
    """The kinds that fit best: several where the fields do not tell them apart, none where nothing
    fits. Of those that know most of its fields, those of whose mandatory ones it lacks fewest."""
    best: tuple[int, int] = (1, -len(data) - 100)
    found: list[ObjectKind] = []
    for kind in among:
        fields = version.models[kind].__fields__
        mandatory = {name for name, field in fields.items() if field.required}
        fits = (len(fields.keys() & data.keys()), -len(mandatory - data.keys()))
        if fits > best:
            best, found = fits, [kind]
        elif fits == best:
            found.append(kind)
    return found
