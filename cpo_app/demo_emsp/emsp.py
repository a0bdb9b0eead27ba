"""The eMSP's calling side: who it is, and how it registers."""

from __future__ import annotations

from cpo_app.ocpi_caller import OcpiCaller
from db_interface.json_data import JsonObject

COUNTRY_CODE, PARTY_ID = "DE", "DEM"


class Emsp(OcpiCaller):
    """An eMSP that talks to one CPO."""

    async def handshake(self, token_a: str, token_b: str, own_versions_url: str) -> JsonObject:
        """Register with the CPO; returns its credentials. Raises CallError."""
        self.token = token_a
        role = {
            "role": "EMSP",
            "country_code": COUNTRY_CODE,
            "party_id": PARTY_ID,
            "business_details": {"name": "Demonstration eMSP"},
        }
        return await self.register(token_b, own_versions_url, [role])
