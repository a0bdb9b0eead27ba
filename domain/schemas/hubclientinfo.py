"""HubClientInfo (OCPI 2.2.1, mod_hub_client_info): ClientInfo."""

from py_ocpi.core.enums import RoleEnum
from py_ocpi.modules.hubclientinfo.v_2_2_1.enums import ConnectionStatus

from domain.schemas.types import CiString3, CountryCode, DateTime, OcpiModel


class ClientInfo(OcpiModel):
    party_id: CiString3
    country_code: CountryCode
    role: RoleEnum
    status: ConnectionStatus
    last_updated: DateTime
