"""The eMSP's calling side, in plain httpx: handshake, crawl, commands. OCPI by the text alone."""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncIterator
from urllib.parse import urlparse

import httpx

from db_interface.json_data import JsonMapping, JsonObject

COUNTRY_CODE, PARTY_ID = "DE", "DEM"


class EmspError(Exception):
    """What the CPO answered that is not as it should be, in one line."""


class Emsp:
    """An eMSP that talks to one CPO."""

    def __init__(self, client: httpx.AsyncClient, versions_url: str) -> None:
        self._client = client
        self._versions_url = versions_url
        self._token = ""
        self.endpoints: dict[str, str] = {}

    async def handshake(self, token_a: str, token_b: str, own_versions_url: str) -> JsonObject:
        """Register with the CPO; returns its credentials. Raises EmspError."""
        self._token = token_a
        await self.discover()
        credentials = {
            "token": token_b,
            "url": own_versions_url,
            "roles": [
                {
                    "role": "EMSP",
                    "country_code": COUNTRY_CODE,
                    "party_id": PARTY_ID,
                    "business_details": {"name": "Demonstration eMSP"},
                }
            ],
        }
        answer = await self.call("POST", self.endpoints["credentials"], credentials)
        theirs: JsonObject = answer["data"]
        self._token = theirs["token"]
        return theirs

    async def discover(self) -> None:
        """Read versions and details: where every module is."""
        versions = (await self.call("GET", self._versions_url))["data"]
        url = next((row["url"] for row in versions if row["version"] == "2.2.1"), None)
        if url is None:
            raise EmspError("the CPO does not speak OCPI 2.2.1")
        details = (await self.call("GET", url))["data"]
        self.endpoints = {row["identifier"]: row["url"] for row in details["endpoints"]}

    async def crawl(self, module: str) -> AsyncIterator[JsonObject]:
        """Every object of a sender module, following the Link headers."""
        url: str | None = self.endpoints[module]
        while url is not None:
            response = await self._send("GET", url)
            for row in _envelope(response)["data"]:
                yield row
            url = response.links.get("next", {}).get("url")

    async def command(self, name: str, body: JsonMapping) -> JsonObject:
        """Send a command; returns the CommandResponse."""
        url = self.endpoints["commands"].rstrip("/") + "/" + name
        response: JsonObject = (await self.call("POST", url, body))["data"]
        return response

    async def unregister(self) -> None:
        await self.call("DELETE", self.endpoints["credentials"])

    async def call(self, method: str, url: str, body: object = None) -> JsonObject:
        """One request; the envelope of its answer. Raises EmspError."""
        return _envelope(await self._send(method, url, body))

    async def _send(self, method: str, url: str, body: object = None) -> httpx.Response:
        headers = {
            "Authorization": "Token " + base64.b64encode(self._token.encode()).decode(),
            "X-Request-ID": str(uuid.uuid4()),
            "X-Correlation-ID": str(uuid.uuid4()),
        }
        try:
            return await self._client.request(method, url, json=body, headers=headers)
        except httpx.HTTPError as error:
            host = urlparse(url).netloc
            raise EmspError(f"{host} does not answer: {error or type(error).__name__}") from error


def _envelope(response: httpx.Response) -> JsonObject:
    what = f"{response.request.method} {response.request.url.path}"
    try:
        answer: JsonObject = response.json()
    except ValueError as error:
        raise EmspError(f"{what}: HTTP {response.status_code}, not JSON") from error
    if response.status_code >= 400 or answer.get("status_code", 0) >= 2000:
        raise EmspError(
            f"{what}: HTTP {response.status_code}, OCPI {answer.get('status_code')}: "
            f"{answer.get('status_message')}"
        )
    return answer
