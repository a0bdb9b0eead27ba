"""An EVSE as an ElectricChargingPoint: what is fixed of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex.connectors import (
    charging_mode,
    connector_of,
    has_plug_and_charge,
    is_dc,
    power_w,
)
from domain.datex.identifiers import point_id
from domain.datex.surroundings import parking_spaces, photos
from domain.datex.whereabouts import place_of_point
from domain.datex.words import enum, enums, external_id, said, text, texts

_ACCESSIBLE = "disabilityAccessible"


def charging_point(
    evse: JsonMapping,
    location: JsonMapping,
    site: str,
    version: str,
    language: str,
    energy: list[JsonObject],
) -> JsonObject:
    id_ = point_id(site, evse)
    connectors = sorted(evse["connectors"], key=power_w, reverse=True)
    strongest = connectors[0]
    spaces = parking_spaces(evse, _places(location), id_, version)
    mode = charging_mode(strongest)
    made = said(
        name=_named(evse, language),
        accessibility=enums([_ACCESSIBLE]) if _for_the_disabled(spaces) else None,
        additionalInformation=texts(evse.get("directions")),
        externalIdentifier=_identifiers(evse),
        photoUrl=photos(evse.get("images")),
        locationReference=place_of_point(evse, location, language),
        dedicatedParkingSpaces=spaces,
        deliveryUnit=enum("kWh"),
        reservation=_reservation(evse),
        electricEnergy=energy,
        currentType=enum("dc" if is_dc(strongest) else "ac"),
        usageType=enums(_usage(evse)),
        vehicleToGridCommunicationType=enums(["iso15118"])
        if any(map(has_plug_and_charge, connectors))
        else None,
        numberOfConnectors=len(connectors),
        availableVoltage=list(dict.fromkeys(one["max_voltage"] for one in connectors)),
        availableChargingPower=list(dict.fromkeys(map(power_w, connectors))),
        chargingMode=mode and enum(mode),
        smartRechargingServices=enums(_services(evse)),
        connector=[connector_of(one) for one in connectors],
    )
    return {"aegiElectricChargingPoint": {"idG": id_, "versionG": version, **made}}


def _named(evse: JsonMapping, language: str) -> JsonObject | None:
    """What is written on it."""
    reference = evse.get("physical_reference")
    return text(reference, language) if reference else None


def _identifiers(evse: JsonMapping) -> list[JsonObject]:
    known = evse.get("evse_id")
    return [external_id(known, "evseId")] if known else []


def _reservation(evse: JsonMapping) -> JsonObject | None:
    capabilities = evse.get("capabilities")
    if not capabilities:
        return None
    return enum("optional" if "RESERVABLE" in capabilities else "notAvailable")


def _usage(evse: JsonMapping) -> list[str]:
    restricted = "MOTORCYCLES" in (evse.get("parking_restrictions") or ())
    return ["electricMotorcycle"] if restricted else ["electricVehicle"]


def _services(evse: JsonMapping) -> list[str]:
    capabilities = evse.get("capabilities") or ()
    found = []
    if "CHARGING_PREFERENCES_CAPABLE" in capabilities:
        found.append("powerOptimisationByUser")
    if any(map(has_plug_and_charge, evse["connectors"])):
        found.append("plugAndCharge")
    return found


def _for_the_disabled(spaces: list[JsonObject]) -> bool:
    wanted = enum("personsWithDisabilities")
    return any(wanted in space.get("userSpecific", ()) for space in spaces)


def _places(location: JsonMapping) -> Mapping[str, JsonMapping]:
    return {place["id"].lower(): place for place in location.get("parking_places") or ()}
