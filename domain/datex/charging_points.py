"""An EVSE as an ElectricChargingPoint: what is fixed of it. Pure."""

from __future__ import annotations

from functools import lru_cache

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex.connectors import Plug, charging_mode, connector_of
from domain.datex.identifiers import point_id
from domain.datex.surroundings import parking_spaces, photos
from domain.datex.whereabouts import place_of_point
from domain.datex.words import EQUIPMENT, Shared, enum, enums, external_id, said, text, texts

_ACCESSIBLE = "disabilityAccessible"
_KWH = enum("kWh")
_RESERVABLE, _NOT_RESERVABLE = enum("optional"), enum("notAvailable")


def charging_point(
    evse: JsonMapping,
    location: JsonMapping,
    plugs: tuple[Plug, ...],
    site: str,
    version: str,
    language: str,
    energy: list[JsonObject],
) -> JsonObject:
    id_ = point_id(site, evse)
    spaces = parking_spaces(evse, location, id_, version)
    made: JsonObject = {"idG": id_, "versionG": version}
    if reference := evse.get("physical_reference"):  # what is written on it
        made["name"] = text(reference, language)
    if spaces and _for_the_disabled(spaces):
        made["accessibility"] = enums([_ACCESSIBLE])
    if directions := evse.get("directions"):
        made["additionalInformation"] = texts(directions)
    if known := evse.get("evse_id"):
        made["externalIdentifier"] = [external_id(known, "evseId")]
    if images := evse.get("images"):
        made["photoUrl"] = photos(images)
    if place := place_of_point(evse, location, language):
        made["locationReference"] = place
    if spaces:
        made["dedicatedParkingSpaces"] = spaces
    made["deliveryUnit"] = _KWH
    capabilities = frozenset(evse.get("capabilities") or ())
    if capabilities:
        made["reservation"] = _RESERVABLE if "RESERVABLE" in capabilities else _NOT_RESERVABLE
    if energy:
        made["electricEnergy"] = energy
    for_motorcycles = "MOTORCYCLES" in (evse.get("parking_restrictions") or ())
    made[EQUIPMENT] = _equipment(plugs, capabilities, for_motorcycles)
    return {"aegiElectricChargingPoint": made}


@lru_cache(maxsize=4096)
def _equipment(
    plugs: tuple[Plug, ...], capabilities: frozenset[str], for_motorcycles: bool
) -> Shared:
    """What many charging points have alike."""
    strongest = plugs[0]
    mode = charging_mode(strongest)
    by_car = any(plug.plug_and_charge for plug in plugs)
    preferences = "CHARGING_PREFERENCES_CAPABLE" in capabilities
    services = {"powerOptimisationByUser": preferences, "plugAndCharge": by_car}
    made = said(
        currentType=enum("dc" if strongest.is_dc else "ac"),
        usageType=enums(["electricMotorcycle" if for_motorcycles else "electricVehicle"]),
        vehicleToGridCommunicationType=enums(["iso15118"]) if by_car else None,
        numberOfConnectors=len(plugs),
        availableVoltage=list(dict.fromkeys(plug.volts for plug in plugs)),
        availableChargingPower=list(dict.fromkeys(plug.watts for plug in plugs)),
        chargingMode=mode and enum(mode),
        smartRechargingServices=enums(name for name, there in services.items() if there),
        connector=[connector_of(plug) for plug in plugs],
    )
    return Shared(made)


def _for_the_disabled(spaces: list[JsonObject]) -> bool:
    wanted = enum("personsWithDisabilities")
    return any(wanted in space.get("userSpecific", ()) for space in spaces)
