"""The eMSP's calling side: how it speaks with one CPO in one version of OCPI."""

from __future__ import annotations

import httpx

from cpo_app.ocpi_caller import OcpiCaller
from db_interface.json_data import JsonObject
from domain.versions import ObjectKind, OcpiVersion


class Emsp(OcpiCaller):
    """An eMSP that talks to one CPO."""

    def __init__(
        self, client: httpx.AsyncClient, versions_url: str, version: OcpiVersion, token: str = ""
    ) -> None:
        super().__init__(
            client,
            versions_url,
            token,
            version=version.number,
            encodes_tokens=version.description.encodes_tokens,
        )
        self._form = version

    async def handshake(self, token_a: str, credentials: JsonObject) -> JsonObject:
        """Register with the CPO; returns its credentials, as 2.2.1 has them. Raises CallError."""
        self.token = token_a
        theirs = await self.register(credentials)
        return self._form.read(ObjectKind.CREDENTIALS, theirs).object
