"""The option of commands that speak OCPI themselves: in which version."""

from __future__ import annotations

from typing import Annotated

import typer

from cpo_app.cli.errors import CliError
from domain.versions import INNER_VERSION, VERSIONS, OcpiVersion, version_of

DEFAULT = INNER_VERSION.number
VersionNumber = Annotated[
    str, typer.Option("--version", help=f"The version of OCPI: {', '.join(VERSIONS)}.")
]


def version_named(number: str) -> OcpiVersion:
    """Raises CliError for one that there is not."""
    version = version_of(number)
    if version is None:
        raise CliError(f"--version {number}: there are {', '.join(VERSIONS)}")
    return version
