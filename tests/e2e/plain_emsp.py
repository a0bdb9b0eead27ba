"""An eMSP of a few lines of httpx: what an engineer with the OCPI text and curl would do."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx


class PlainEmsp:
    """Crawls with a token; no code of ours in it."""

    def __init__(self, token: str) -> None:
        encoded = base64.b64encode(token.encode()).decode()
        self._client = httpx.Client(headers={"Authorization": f"Token {encoded}"}, timeout=30)

    def data(self, url: str) -> Any:
        response = self._client.get(url)
        assert response.status_code == 200, response.text
        assert response.json()["status_code"] == 1000, response.text
        return response.json()["data"]

    def endpoints(self, versions_url: str) -> dict[str, str]:
        (version,) = (row for row in self.data(versions_url) if row["version"] == "2.2.1")
        return {row["identifier"]: row["url"] for row in self.data(version["url"])["endpoints"]}

    def crawl(self, url: str | None) -> Iterator[dict[str, Any]]:
        while url is not None:
            response = self._client.get(url)
            assert response.status_code == 200, response.text
            yield from response.json()["data"]
            url = response.links.get("next", {}).get("url")
