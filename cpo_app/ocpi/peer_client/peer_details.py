"""A peer's versions and version details, read plainly (version_information_endpoint).

Unknown versions, modules and further fields are let through: newer peers have them. What we
would have to use and cannot is refused. Pure: it fetches nothing and judges no URL's safety.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cpo_app.ocpi.peer_client.peer_answer import PeerUnusable
from db_interface.json_data import JsonObject

# Lists far beyond what OCPI knows are nonsense, not news.
_MAX_ROWS = 200
_MAX_LENGTH = 2048
_Row = TypeVar("_Row")


@dataclass(frozen=True)
class PeerVersion:
    """One row of GET versions."""

    version: str
    url: str


@dataclass(frozen=True)
class PeerEndpoint:
    """One row of a version's endpoints. `role` is SENDER or RECEIVER, None where the peer
    gives none (OCPI 2.1.1, or credentials, for which the role means nothing)."""

    identifier: str
    role: str | None
    url: str


@dataclass(frozen=True)
class PeerDetails:
    """The answer of GET version details."""

    version: str
    endpoints: list[PeerEndpoint]

    def endpoint(self, identifier: str, role: str | None = None) -> PeerEndpoint | None:
        """The first endpoint of this module (and role, unless the module is credentials)."""
        for endpoint in self.endpoints:
            if endpoint.identifier != identifier:
                continue
            if role is None or identifier == "credentials" or endpoint.role == role:
                return endpoint
        return None


def parse_versions(data: object) -> list[PeerVersion]:
    """The data of GET versions, maybe none; raises PeerUnusable if it is no list of versions."""
    return _rows(data, "versions", _version)


def parse_details(data: object) -> PeerDetails:
    """The data of GET version details; raises PeerUnusable if it is none."""
    if not isinstance(data, dict):
        raise _not_ocpi("the version details are not an object")
    version = _text(data, "version")
    endpoints = _rows(data.get("endpoints"), "endpoints", _endpoint)
    if version is None:
        raise _not_ocpi("the version details name no version")
    return PeerDetails(version, endpoints)


def _version(row: JsonObject) -> PeerVersion | None:
    version, url = _text(row, "version"), _text(row, "url")
    return PeerVersion(version, url) if version and url else None


def _endpoint(row: JsonObject) -> PeerEndpoint | None:
    identifier, url, role = _text(row, "identifier"), _text(row, "url"), _text(row, "role")
    if not identifier or not url:
        return None
    return PeerEndpoint(identifier, role.upper() if role else None, url)


def _rows(data: object, name: str, read: Callable[[JsonObject], _Row | None]) -> list[_Row]:
    if not isinstance(data, list):
        raise _not_ocpi(f"the {name} are not a list")
    if len(data) > _MAX_ROWS:
        raise _not_ocpi(f"the {name} are more than {_MAX_ROWS}")
    rows: list[_Row] = []
    for index, item in enumerate(data):
        row = read(item) if isinstance(item, dict) else None
        if row is None:
            raise _not_ocpi(f"entry {index} of the {name} lacks a field or has an ill-typed one")
        rows.append(row)
    return rows


def _text(row: JsonObject, name: str) -> str | None:
    value = row.get(name)
    return value.strip() if isinstance(value, str) and len(value) <= _MAX_LENGTH else None


def _not_ocpi(reason: str) -> PeerUnusable:
    return PeerUnusable(f"the peer's answer is unusable: {reason}", "not_ocpi", sent=True)
