"""The eMSP's calling side: who it is, and how it registers."""

from __future__ import annotations

from cpo_app.ocpi_caller import OcpiCaller
from db_interface.json_data import JsonObject


class Emsp(OcpiCaller):
    """An eMSP that talks to one CPO."""

    async def handshake(
        self, token_a: str, token_b: str, own_versions_url: str, party: tuple[str, str]
    ) -> JsonObject:
        """Register with the CPO as `party`; returns its credentials. Raises CallError."""
        self.token = token_a
        country_code, party_id = party
        role = {
            "role": "EMSP",
            "country_code": country_code,
            "party_id": party_id,
            "business_details": {"name": "Demonstration eMSP"},
        }
        return await self.register(token_b, own_versions_url, [role])
