"""A Location as an EnergyInfrastructureSite with its one station: what is fixed of it. Pure."""

from __future__ import annotations

from functools import lru_cache

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex import identifiers, rates
from domain.datex.charging_points import charging_point
from domain.datex.connectors import plugs_of
from domain.datex.opening_times import operating_hours
from domain.datex.organisations import helpdesk, operator_of, organisation
from domain.datex.payment import ways_of
from domain.datex.publisher import Publisher
from domain.datex.rates import SiteTariffs, Tariffs
from domain.datex.surroundings import TYPES_OF_SITE, associated, facilities, photos, supplement
from domain.datex.whereabouts import place_of
from domain.datex.words import enum, external_id, said, text, texts
from domain.places.geonames import countries


def site_of(location: JsonMapping, tariffs: Tariffs, publisher: Publisher) -> JsonObject | None:
    """None: nothing of it stands here, for all of its EVSEs are removed."""
    evses = identifiers.present(location)
    if not evses:
        return None
    site = identifiers.site_id(location)
    prices = tariffs.of_site(location, evses)
    version = identifiers.version(location, prices.all)
    language = publisher.language
    parking = location.get("parking_type")
    place = place_of(location, _alpha2(location["country"]), language)
    operator = operator_of(location, publisher)
    return {
        "idG": site,
        "versionG": version,
        **said(
            name=_named(location, language),
            additionalInformation=texts(location.get("directions")),
            externalIdentifier=[external_id(location["id"], "ocpiLocationId")],
            photoUrl=photos(location.get("images")),
            operatingHours=operating_hours(location.get("opening_times"), site, version),
            locationReference=place,
            owner=organisation(location.get("owner"), language),
            operator=operator,
            helpdesk=helpdesk(location, publisher),
            associatedFacility=associated(location),
            supplementalFacility=facilities(location, site, version),
            typeOfSite=enum(TYPES_OF_SITE.get(parking, "other")) if parking else None,
            energyInfrastructureStation=[
                _station(location, evses, tariffs, prices, version, publisher, place, operator)
            ],
        ),
    }


def _station(
    location: JsonMapping,
    evses: list[JsonMapping],
    tariffs: Tariffs,
    prices: SiteTariffs,
    version: str,
    publisher: Publisher,
    place: JsonObject,
    operator: JsonObject | None,
) -> JsonObject:
    site = identifiers.site_id(location)
    id_ = identifiers.station_id(site)
    plugs = [plugs_of(evse) for evse in evses]
    by_car = any(plug.plug_and_charge for its in plugs for plug in its)
    ways = ways_of(evses, by_car=by_car)
    mix = location.get("energy_mix") or {}
    return {
        "idG": id_,
        "versionG": version,
        **said(
            locationReference=place,
            operator=operator,
            supplementalFacility=[
                supplement(
                    "afacSupplementalEquipment", "equipmentType", "paymentMachine", id_, version
                )
            ]
            if ways.terminal
            else None,
            totalMaximumPower=sum(its[0].watts for its in plugs),
            authenticationAndIdentificationMethods=ways.authentication,
            numberOfRefillPoints=len(evses),
            renewableSources=mix.get("is_green_energy"),
            serviceType=[{"serviceType": enum(publisher.service_type)}],
            refillPoint=[
                charging_point(
                    evse,
                    location,
                    its_plugs,
                    site,
                    version,
                    publisher.language,
                    []
                    if len(its) == len(prices.all)  # the station says it for all
                    else rates.energy_at_point(its, site),
                )
                for evse, its_plugs, its in zip(evses, plugs, prices.by_evse, strict=True)
            ],
            electricEnergy=rates.energy_at_station(location, ways.means, prices.all, tariffs, site),
        ),
    }


def _named(location: JsonMapping, language: str) -> JsonObject | None:
    name = location.get("name")
    return text(name, language) if name else None


def _alpha2(alpha3: str) -> str | None:
    return _two_letters().get(alpha3.upper())


@lru_cache(maxsize=1)
def _two_letters() -> dict[str, str]:
    return {country.alpha3: country.alpha2 for country in countries()}
