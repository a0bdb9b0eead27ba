"""Owner, operator and help line. Pure."""

from __future__ import annotations

from functools import lru_cache

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex.publisher import Publisher
from domain.datex.words import Shared, external_id, said, text


def operator_of(location: JsonMapping, publisher: Publisher) -> JsonObject | None:
    """With the id that its EVSE ids begin with. OCPI has one name: it is the legal one, too."""
    party = f"{location['country_code']}*{location['party_id']}"
    details = location.get("operator")
    if details is None:
        if not publisher.operator:
            return None
        details = {"name": publisher.operator}
    return organisation(details, publisher.language, party)


def organisation(
    details: JsonMapping | None, language: str, operator_id: str | None = None
) -> JsonObject | None:
    if details is None:
        return None
    logo = details.get("logo") or {}
    return _organisation(
        details["name"], details.get("website"), logo.get("url"), language, operator_id
    )


@lru_cache(maxsize=1024)
def _organisation(
    name: str, website: str | None, logo: str | None, language: str, operator_id: str | None
) -> JsonObject:
    named = text(name, language)
    made = said(
        name=named,
        legalName=named,
        linkToGeneralInformation=website,
        linkToLogo=logo,
        externalIdentifier=[external_id(operator_id, "operatorId")] if operator_id else None,
    )
    return {"afacAnOrganisation": Shared(made)}


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
