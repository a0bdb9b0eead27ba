"""What is at a site beside its charging points: facilities, parking places, pictures. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex.words import enum, mapped, said

TYPES_OF_SITE: Mapping[str, str] = {
    "ALONG_MOTORWAY": "openSpace",
    "PARKING_GARAGE": "inBuilding",
    "PARKING_LOT": "openSpace",
    "ON_DRIVEWAY": "other",
    "ON_STREET": "onstreet",
    "UNDERGROUND_GARAGE": "inBuilding",
}
"""OCPI's ParkingType to EnergyInfrastructureSiteTypeEnum."""

SERVICES: Mapping[str, str] = {
    "BIKE_SHARING": "bikeSharing",
    "CAFE": "cafe",
    "FUEL_STATION": "petrolStation",
    "HOTEL": "hotel",
    "RECREATION_AREA": "leisureActivities",
    "RESTAURANT": "restaurant",
    "SPORT": "leisureActivities",
    "SUPERMARKET": "foodShopping",
}
"""OCPI's Facility to ServiceFacilityTypeEnum."""
EQUIPMENT: Mapping[str, str] = {"WIFI": "internetWireless"}
"""And to EquipmentTypeEnum."""
ASSOCIATED: Mapping[str, str] = {
    "AIRPORT": "airport",
    "BUS_STOP": "publicTransportHub",
    "CARPOOL_PARKING": "parkingSite",
    "MALL": "shoppingCentre",
    "METRO_STATION": "publicTransportHub",
    "PARKING_LOT": "carPark",
    "TRAIN_STATION": "trainStation",
    "TRAM_STOP": "publicTransportHub",
}
"""And to FacilityTypeEnum."""
_SUPPLEMENTS = (
    ("afacSupplementalServiceFacility", "serviceFacilityType", SERVICES),
    ("afacSupplementalEquipment", "equipmentType", EQUIPMENT),
)
UNSAID = ("MUSEUM", "NATURE", "TAXI_STAND")
"""Facilities that DATEX II has no word for."""

VEHICLES: Mapping[str, str] = {
    "BUS": "bus",
    "MOTORCYCLE": "motorcycle",
    "PERSONAL_VEHICLE": "car",
    "PERSONAL_VEHICLE_WITH_TRAILER": "carWithTrailer",
    "RIGID": "lorry",
    "SEMI_TRACTOR": "articulatedVehicle",
    "TRUCK_WITH_TRAILER": "heavyGoodsVehicleWithTrailer",
    "VAN": "van",
}
"""OCPI's VehicleType to VehicleTypeEnum; DISABLED is a kind of user."""
USERS: Mapping[str, str] = {
    "CUSTOMERS": "customers",
    "DISABLED": "personsWithDisabilities",
    "EMPLOYEES": "employees",
    "TENANTS": "residents",
}
"""OCPI's ParkingRestriction (and VehicleType) to UserTypeEnum; the others have none."""


def facilities(location: JsonMapping, site: str, version: str) -> list[JsonObject]:
    given = location.get("facilities")
    if not given:
        return []
    return [
        supplement(class_, field, word, site, version)
        for class_, field, table in _SUPPLEMENTS
        for word in dict.fromkeys(table[one] for one in given if one in table)
    ]


def supplement(class_: str, field: str, word: str, at: str, version: str) -> JsonObject:
    return {class_: {"idG": f"{at}/{word}", "versionG": version, field: enum(word)}}


def associated(location: JsonMapping) -> list[JsonObject]:
    given = location.get("facilities")
    return [{"type": word} for word in mapped(given, ASSOCIATED)] if given else []


def photos(images: Iterable[JsonMapping] | None) -> list[JsonObject]:
    if not images:
        return []
    return [{"urlLinkAddress": image["url"], "urlLinkType": enum("image")} for image in images]


def parking_spaces(
    evse: JsonMapping, location: JsonMapping, point: str, version: str
) -> list[JsonObject]:
    """Those that OCPI 2.3.0 describes, else one for whom OCPI 2.2.1's restrictions keep it."""
    restrictions, links = evse.get("parking_restrictions"), evse.get("parking")
    users = mapped(restrictions, USERS) if restrictions else []
    if links:
        places = {place["id"].lower(): place for place in location.get("parking_places") or ()}
        linked = [places[link["parking_id"].lower()] for link in links]
        return [_space(place, users, f"{point}/parking/{place['id']}", version) for place in linked]
    if not users:
        return []
    return [_one_space(f"{point}/parking", version, users)]


def _space(place: JsonMapping, users: list[JsonObject], id_: str, version: str) -> JsonObject:
    kinds = place["vehicle_types"]
    others = [one for one in mapped(kinds, USERS) if one not in users]
    vehicles = mapped(kinds, VEHICLES)
    return _one_space(
        id_,
        version,
        [*users, *others],
        applicableForVehicles=[{"vehicleType": vehicles}] if vehicles else None,
        dimension=said(
            length=place.get("parking_space_length"), width=place.get("parking_space_width")
        ),
        amenities=said(illuminated=place.get("lighting"), roofed=place.get("roofed")),
    )


def _one_space(id_: str, version: str, users: list[JsonObject], **fields: object) -> JsonObject:
    return {"idG": id_, "versionG": version, **said(**fields, numberOfSpaces=1, userSpecific=users)}
