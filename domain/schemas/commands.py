"""Commands (OCPI 2.2.1, mod_commands): the five requests, the response and the result."""

from pydantic import root_validator

from db_interface.json_data import JsonObject
from domain.schemas.common import DisplayText
from domain.schemas.enums import CommandResponseType, CommandResultType, CommandType
from domain.schemas.tokens import Token
from domain.schemas.types import CiString36, DateTime, Int, OcpiModel, Url


class CancelReservation(OcpiModel):
    response_url: Url
    reservation_id: CiString36


class ReserveNow(OcpiModel):
    response_url: Url
    token: Token
    expiry_date: DateTime
    reservation_id: CiString36
    location_id: CiString36
    evse_uid: CiString36 | None = None
    authorization_reference: CiString36 | None = None


class StartSession(OcpiModel):
    response_url: Url
    token: Token
    location_id: CiString36
    evse_uid: CiString36 | None = None
    connector_id: CiString36 | None = None
    authorization_reference: CiString36 | None = None

    @root_validator(skip_on_failure=True)
    def _connector_needs_its_evse(cls, values: JsonObject) -> JsonObject:
        if values["connector_id"] is not None and values["evse_uid"] is None:
            raise ValueError("evse_uid is required when connector_id is set")
        return values


class StopSession(OcpiModel):
    response_url: Url
    session_id: CiString36


class UnlockConnector(OcpiModel):
    response_url: Url
    location_id: CiString36
    evse_uid: CiString36
    connector_id: CiString36


class CommandResponse(OcpiModel):
    result: CommandResponseType
    timeout: Int
    message: list[DisplayText] | None = None


class CommandResult(OcpiModel):
    result: CommandResultType
    message: list[DisplayText] | None = None


# The request object of each command, by the command's name in the URL.
COMMAND_REQUESTS: dict[str, type[OcpiModel]] = {
    CommandType.CANCEL_RESERVATION.value: CancelReservation,
    CommandType.RESERVE_NOW.value: ReserveNow,
    CommandType.START_SESSION.value: StartSession,
    CommandType.STOP_SESSION.value: StopSession,
    CommandType.UNLOCK_CONNECTOR.value: UnlockConnector,
}
