"""The CPO under test as a peer sees it: ours, or a minimal one on extrawest-ocpi alone.

The audit suite speaks to either over HTTP; beside that it can only put objects into the store
and have peers admitted. So the same tests show what the library does and what ours does.
"""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import httpx

from auth.credentials_header import encoded

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Spares every request the loading of CA certificates: subjects speak plain HTTP."""


class Subject(ABC):
    """A CPO that hosts BE*BEC, reached over HTTP."""

    name: str
    base_url: str

    @abstractmethod
    def keep(self, module: str, *objects: Mapping[str, Any]) -> None:
        """Put the CPO's own objects into its store, in this order."""

    @abstractmethod
    def spoil(self, module: str, object_id: str) -> None:
        """Damage a stored object as a mishap outside of the program would."""

    @abstractmethod
    def invite(self) -> str:
        """A fresh CREDENTIALS_TOKEN_A."""

    @abstractmethod
    def admit(self, *parties: str) -> str:
        """The token (C) of a registered eMSP with these parties ("DE*TNM")."""

    @abstractmethod
    def clear(self) -> None:
        """Forget all objects and peers."""

    @property
    def versions_url(self) -> str:
        return f"{self.base_url}/ocpi/versions"

    def peer(self, *parties: str) -> PeerOf:
        """A registered eMSP; DE*TNM when no parties are named."""
        return PeerOf(self, self.admit(*(parties or ("DE*TNM",))))

    def hub(self) -> PeerOf:
        """A registered hub, NL*HUB."""
        return self.peer("NL*HUB")


class PeerOf:
    """An eMSP's HTTP client, holding one token. `module` names resolve by version details."""

    def __init__(self, subject: Subject, token: str) -> None:
        self.subject = subject
        self.token = token
        self._endpoints: dict[str, str] | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": encoded(self.token)}

    def details(self) -> dict[str, Any]:
        versions = self.request("GET", self.subject.versions_url).json()["data"]
        url = next(row["url"] for row in versions if row["version"] == "2.2.1")
        return self.request("GET", url).json()["data"]

    def endpoint(self, module: str) -> str:
        """The module's URL as advertised; the customary one where it is not."""
        if self._endpoints is None:
            self._endpoints = {row["identifier"]: row["url"] for row in self.details()["endpoints"]}
        return self._endpoints.get(module, f"{self.subject.base_url}/ocpi/cpo/2.2.1/{module}/")

    def url(self, module: str, *parts: str) -> str:
        """The URL of one object of a module, put together without doubled slashes."""
        return "/".join([self.endpoint(module).rstrip("/"), *parts])

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return httpx.request(method, url, headers=headers, timeout=10, verify=NO_TLS, **options)

    def list(self, module: str, **query: Any) -> httpx.Response:
        """GET of the module's list, at the URL that was advertised."""
        return self.request("GET", self.endpoint(module), params=query)

    def get(self, module: str, *parts: str, **options: Any) -> httpx.Response:
        return self.request("GET", self.url(module, *parts), **options)

    def put(self, module: str, *parts: str, **options: Any) -> httpx.Response:
        return self.request("PUT", self.url(module, *parts), **options)

    def patch(self, module: str, *parts: str, **options: Any) -> httpx.Response:
        return self.request("PATCH", self.url(module, *parts), **options)

    def post(self, module: str, *parts: str, **options: Any) -> httpx.Response:
        return self.request("POST", self.url(module, *parts), **options)


def data_of(response: httpx.Response) -> Any:
    """The data of a success."""
    assert response.status_code in (200, 201), (response.status_code, response.text)
    body = response.json()
    assert body["status_code"] == 1000, body
    return body.get("data")


def assert_refused(
    response: httpx.Response, status_code: int, http_status: int | None = None
) -> None:
    """An error in the text's form: this HTTP status, an envelope with this code, no more."""
    expected = 200 if http_status is None else http_status
    assert response.status_code == expected, (response.status_code, response.text)
    body = response.json()
    assert body.keys() <= {"status_code", "status_message", "timestamp"}, body
    assert body["status_code"] == status_code, body
    assert body["timestamp"].endswith("Z")
