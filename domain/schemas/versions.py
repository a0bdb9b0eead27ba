"""Versions and version details (OCPI 2.2.1, version_information_endpoint).

The models are the text's tables. A peer may list versions and modules that we do not know; to read
what a peer says, use `known_versions` and `known_endpoints`, which leave those out.
"""

from py_ocpi.modules.versions.enums import VersionNumber
from py_ocpi.modules.versions.v_2_2_1.enums import InterfaceRole
from pydantic import Field

from db_interface.json_data import JsonObject
from domain.schemas.types import CiString, OcpiModel, Url
from domain.schemas.validation import SchemaError, validate


class ModuleIdentifier(CiString):
    """ModuleID, an enum that parties may extend by custom modules such as `nltnm-tokens`."""

    max_length = 64


class Version(OcpiModel):
    version: VersionNumber
    url: Url


class Endpoint(OcpiModel):
    identifier: ModuleIdentifier
    role: InterfaceRole
    url: Url


class VersionDetails(OcpiModel):
    version: VersionNumber
    endpoints: list[Endpoint] = Field(..., min_items=1)


def known_versions(data: object) -> list[JsonObject]:
    """The Version objects in a peer's list that can be read. Raises SchemaError: not a list."""
    return _readable(Version, data, "")


def known_endpoints(details: object) -> list[JsonObject]:
    """The Endpoint objects in a peer's version details that can be read.

    Raises SchemaError where the details are not an object with a list of endpoints.
    """
    if not isinstance(details, dict):
        raise SchemaError([("", "value is not an object")])
    return _readable(Endpoint, details.get("endpoints"), "endpoints")


def _readable(model: type[OcpiModel], data: object, path: str) -> list[JsonObject]:
    if not isinstance(data, list):
        raise SchemaError([(path, "value is not a list")])
    readable = []
    for item in data:
        try:
            readable.append(validate(model, item))
        except SchemaError:
            continue  # a later version or a broken entry must not hide the others
    return readable
