"""HubClientInfo (OCPI 2.2.1, mod_hub_client_info): ClientInfo."""

from domain.schemas.enums import ConnectionStatus, Role
from domain.schemas.types import CiString3, CountryCode, DateTime, OcpiModel


class ClientInfo(OcpiModel):
    party_id: CiString3
    country_code: CountryCode
    role: Role
    status: ConnectionStatus
    last_updated: DateTime
