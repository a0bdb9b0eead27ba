"""The engine's way to EV_Central, as its monitor handed it over. Holds the token and the key
that Central commands with; both stay in memory and reach no log and no answer.
"""

import asyncio
import logging
from pathlib import Path

import httpx
from pydantic import BaseModel, Field, SecretStr, validator

from cpo_app.front_door.kept_connections import CLIENT_KEEPS_FOR_S
from db_interface.json_data import JsonObject

logger = logging.getLogger(__name__)

KEPT_OPEN = httpx.Limits(max_connections=10, keepalive_expiry=CLIENT_KEEPS_FOR_S)
"""Central keeps connections of charge points open: a new one costs both more than a heartbeat."""


class Link(BaseModel):
    """PUT /link. No token where EV_Registry is not used."""

    cp_id: str
    central_url: str = Field(max_length=2048)
    token: SecretStr | None = None
    command_key: SecretStr

    @validator("central_url")
    def _http_only(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("an http or https URL is needed")
        return url.rstrip("/")

    @validator("command_key")
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        # An empty or short key would let anybody command the engine.
        if len(key.get_secret_value()) < 32:
            raise ValueError("at least 32 characters are needed")
        return key


class CentralUnavailable(Exception):
    """Central cannot be reached, or gave no usable answer. `status` where it gave one."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class CentralLink:
    """Raises OSError (ssl.SSLError) for a CA or client certificate that cannot be used."""

    def __init__(
        self,
        cp_id: str,
        ca_file: Path | None = None,
        certificate: tuple[str, str] | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        self.cp_id = cp_id
        #: Central has refused the token; the monitor reads it in /health and brings a new one.
        self.token_refused = False
        self.changed = asyncio.Event()
        self._link: Link | None = None
        # Proxies of the environment are for browsers: what is configured here is what is called.
        self._http = httpx.AsyncClient(
            timeout=timeout_s,
            trust_env=False,
            limits=KEPT_OPEN,
            verify=str(ca_file) if ca_file else True,
            cert=certificate,
        )

    async def close(self) -> None:
        await self._http.aclose()

    @property
    def linked(self) -> bool:
        return self._link is not None

    @property
    def command_key(self) -> str | None:
        return self._link.command_key.get_secret_value() if self._link else None

    def take(self, link: Link) -> None:
        """Use this link from now on."""
        if self._link is None or self._link.central_url != link.central_url:
            logger.info("%s linked to EV_Central at %s", self.cp_id, link.central_url)
        self._link = link
        self.token_refused = False
        self.changed.set()

    async def post(self, path: str, body: JsonObject) -> JsonObject:
        """POST to Central. Returns the JSON object of a 200; raises CentralUnavailable."""
        link = self._link
        if link is None:
            raise CentralUnavailable("not linked to Central yet")
        headers = {}
        if link.token:
            headers["Authorization"] = f"Bearer {link.token.get_secret_value()}"
        try:
            answer = await self._http.post(link.central_url + path, json=body, headers=headers)
            data = answer.json() if answer.status_code == 200 else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise CentralUnavailable(type(error).__name__) from None
        if answer.status_code == 401 and self._link is link:
            self.token_refused = True
        if not isinstance(data, dict):
            raise CentralUnavailable(f"HTTP {answer.status_code}", answer.status_code)
        return data
