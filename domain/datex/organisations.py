"""Owner, operator and help line. Pure."""

from __future__ import annotations

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex.publisher import Publisher
from domain.datex.words import external_id, said, text


def operator_of(location: JsonMapping, publisher: Publisher) -> JsonObject | None:
    """With the id that its EVSE ids begin with. OCPI has one name: it is the legal one, too."""
    details = location.get("operator") or (
        {"name": publisher.operator} if publisher.operator else None
    )
    party = f"{location['country_code']}*{location['party_id']}"
    return organisation(details, publisher.language, party)


def organisation(
    details: JsonMapping | None, language: str, operator_id: str | None = None
) -> JsonObject | None:
    if details is None:
        return None
    name = text(details["name"], language)
    return {
        "afacAnOrganisation": said(
            name=name,
            legalName=name,
            linkToGeneralInformation=details.get("website"),
            linkToLogo=(details.get("logo") or {}).get("url"),
            externalIdentifier=[external_id(operator_id, "operatorId")] if operator_id else None,
        )
    }


def helpdesk(location: JsonMapping, publisher: Publisher) -> JsonObject | None:
    phone = location.get("help_phone")
    if not phone:
        return None
    operator = location.get("operator") or {"name": publisher.operator or "Helpdesk"}
    return {
        "afacAnOrganisation": {
            "name": text(operator["name"], publisher.language),
            "organisationUnit": [
                {"contactInformation": [{"afacContactInformation": {"telephoneNumber": phone}}]}
            ],
        }
    }
