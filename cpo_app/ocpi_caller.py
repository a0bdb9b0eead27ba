"""The calling side of a small OCPI party, in plain httpx: discovery, crawl, single requests.

For the parties that come with this product to try it (the demonstration eMSP, the mock hub): OCPI
by the text alone, sharing nothing with the CPO's own client, so that each checks the other.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlparse

import httpx

from db_interface.json_data import JsonMapping, JsonObject


class CallError(Exception):
    """What the CPO answered that is not as it should be, in one line."""


class OcpiCaller:
    """A party that talks to one CPO, in one version of OCPI.

    `encodes_tokens`: whether that version has the token in Base64.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        versions_url: str,
        token: str = "",
        *,
        version: str = "2.2.1",
        encodes_tokens: bool = True,
    ) -> None:
        self._client = client
        self.versions_url = versions_url
        self.token = token
        self.version = version
        self._encodes_tokens = encodes_tokens
        self.endpoints: dict[str, str] = {}

    async def discover(self) -> None:
        """Read versions and details: where every module is."""
        versions = (await self.call("GET", self.versions_url))["data"]
        url = next((row["url"] for row in versions if row["version"] == self.version), None)
        if url is None:
            raise CallError(f"the CPO does not speak OCPI {self.version}")
        details = (await self.call("GET", url))["data"]
        self.endpoints = {row["identifier"]: row["url"] for row in details["endpoints"]}

    @property
    def authorization(self) -> str:
        """The header that presents our token."""
        token = self.token
        return "Token " + (
            base64.b64encode(token.encode()).decode() if self._encodes_tokens else token
        )

    async def register(self, credentials: JsonObject) -> JsonObject:
        """Discover the CPO with the token A held, and give it our credentials; returns its own.

        From then on its token is the one that we present. Raises CallError.
        """
        await self.discover()
        answer = await self.call("POST", self.endpoints["credentials"], credentials)
        theirs: JsonObject = answer["data"]
        self.token = theirs["token"]
        return theirs

    async def crawl(
        self, module: str, headers: Mapping[str, str] | None = None, query: str = ""
    ) -> AsyncIterator[JsonObject]:
        """Every object of a sender module, following the Link headers."""
        url: str | None = self.endpoints[module] + query
        while url is not None:
            response = await self._send("GET", url, None, headers)
            for row in _envelope(response)["data"]:
                yield row
            url = response.links.get("next", {}).get("url")

    async def command(
        self, name: str, body: JsonMapping, headers: Mapping[str, str] | None = None
    ) -> JsonObject:
        """Send a command; returns the CommandResponse."""
        url = self.endpoints["commands"].rstrip("/") + "/" + name
        answer: JsonObject = (await self.call("POST", url, body, headers))["data"]
        return answer

    async def unregister(self) -> None:
        await self.call("DELETE", self.endpoints["credentials"])

    async def call(
        self, method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> JsonObject:
        """One request; the envelope of its answer. Raises CallError."""
        return _envelope(await self._send(method, url, body, headers))

    async def _send(
        self, method: str, url: str, body: object, headers: Mapping[str, str] | None
    ) -> httpx.Response:
        sent = {
            "Authorization": self.authorization,
            "X-Request-ID": str(uuid.uuid4()),
            "X-Correlation-ID": str(uuid.uuid4()),
            **(headers or {}),
        }
        try:
            return await self._client.request(method, url, json=body, headers=sent)
        except httpx.HTTPError as error:
            host = urlparse(url).netloc
            raise CallError(f"{host} does not answer: {error or type(error).__name__}") from error


def _envelope(response: httpx.Response) -> JsonObject:
    what = f"{response.request.method} {response.request.url.path}"
    try:
        answer: JsonObject = response.json()
    except ValueError as error:
        raise CallError(f"{what}: HTTP {response.status_code}, not JSON") from error
    if response.status_code >= 400 or answer.get("status_code", 0) >= 2000:
        raise CallError(
            f"{what}: HTTP {response.status_code}, OCPI {answer.get('status_code')}: "
            f"{answer.get('status_message')}"
        )
    return answer
