"""OCPI's versions: views of the one model that everything else in the program works with.

A version is a folder: its schemas, how it renders an object of ours, how it reads one of a peer's,
and what it looks like on the wire. A further version is a further folder and a line in registry.py.
Nothing outside of this package may compare version numbers: who needs to know something of a
version asks the version (`description`), and adds it there where it is missing.
"""

from domain.versions.ocpi_version import (
    NO_CONTEXT,
    ChooseTariff,
    Context,
    Converted,
    Description,
    Loss,
    ModuleEndpoint,
    ObjectKind,
    OcpiVersion,
    Party,
    Unconvertible,
)
from domain.versions.registry import INNER_VERSION, VERSIONS, highest_common, ids_of_cdr, version_of

__all__ = [
    "INNER_VERSION",
    "NO_CONTEXT",
    "VERSIONS",
    "ChooseTariff",
    "Context",
    "Converted",
    "Description",
    "Loss",
    "ModuleEndpoint",
    "ObjectKind",
    "OcpiVersion",
    "Party",
    "Unconvertible",
    "highest_common",
    "ids_of_cdr",
    "version_of",
]
