"""The monitor's way to its engine: https with the very certificate that the engine made known, or
plain HTTP where it made none known.
"""

from __future__ import annotations

from typing import Any

import httpx

from cpo_app.charge_point.engine_certificate import published_in
from cpo_app.charge_point.settings import MonitorSettings
from cpo_app.pinned_tls import fingerprint_of, pinned_context


class EngineDoor:
    """A certificate file that the settings name has to be there: never plain HTTP instead."""

    def __init__(self, settings: MonitorSettings) -> None:
        self.host = settings.cp_e_host
        self._netloc = f"{settings.cp_e_host}:{settings.cp_e_port}"
        self._file = settings.engine_cert_file
        self._published = published_in(settings.state_dir, settings.cp_id)
        self._client: httpx.AsyncClient | None = None
        self._fingerprint: str | None = None

    def fingerprint(self) -> str | None:
        """Of the engine's present certificate; None: it serves plain HTTP.

        Raises ValueError for a file that holds no certificate, OSError for one that is not there
        though the settings name it.
        """
        path = self._file or self._published
        try:
            return fingerprint_of(path.read_text(encoding="ascii"))
        except FileNotFoundError:
            if self._file is not None:
                raise
            return None

    async def request(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Raises httpx.HTTPError, and what `fingerprint` raises."""
        present = self.fingerprint()
        if self._client is None or present != self._fingerprint:
            await self.close()
            verify = pinned_context(present) if present else False
            self._client = httpx.AsyncClient(trust_env=False, verify=verify)
            self._fingerprint = present
        scheme = "https" if present else "http"
        return await self._client.request(method, f"{scheme}://{self._netloc}{path}", **content)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
