"""What charging costs at a site, and of what energy: for drivers who pay on the spot. Pure.

A rate stands at the station once; charging points refer to theirs where not all have the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import fold
from domain.datex.identifiers import rate_id
from domain.datex.prices import amount, are_exclusive, prices_of, valid_from
from domain.datex.words import ENGLISH, enum, rate_reference, said, text

AD_HOC = "AD_HOC_PAYMENT"
ENERGY_SOURCES: Mapping[str, str] = {
    "COAL": "coal",
    "GAS": "gas",
    "GENERAL_FOSSIL": "generalFossil",
    "GENERAL_GREEN": "generalGreen",
    "NUCLEAR": "nuclear",
    "SOLAR": "solar",
    "WATER": "water",
    "WIND": "wind",
}
"""OCPI's EnergySourceCategory to ElectricEnergySourceTypeEnum."""
_FIRST_COUNTS = (
    "Where prices of one type apply at the same time, that of the lowest price group counts."
)


class SiteTariffs(NamedTuple):
    """What whoever pays on the spot may pay at a site, and at each of its EVSEs."""

    all: Sequence[JsonMapping]
    by_evse: Sequence[Sequence[JsonMapping]]


class Tariffs:
    """Tariffs of any parties; what their prices are in DATEX II is worked out once."""

    def __init__(self, tariffs: Iterable[JsonMapping]) -> None:
        self._known = {
            fold(one["country_code"], one["party_id"], one["id"]): one for one in tariffs
        }
        self._prices: dict[tuple[str, str], list[JsonObject]] = {}

    def ad_hoc(self, evse: JsonMapping, location: JsonMapping) -> list[JsonMapping]:
        """Those for who pays there on the spot: those that are for it by their type, else those
        that are for everybody. Several follow one another, or are for one connector each."""
        found: dict[str, JsonMapping] = {}
        if not self._known:
            return []
        for connector in evse["connectors"]:
            keys = [self._key(location, id_) for id_ in connector.get("tariff_ids") or ()]
            known = {key: self._known[key] for key in keys if key in self._known}
            for kind in (AD_HOC, None):
                chosen = {key: one for key, one in known.items() if one.get("type") == kind}
                if chosen:
                    found.update(chosen)
                    break
        return list(found.values())

    def of_site(self, location: JsonMapping, evses: Iterable[JsonMapping]) -> SiteTariffs:
        by_evse = [self.ad_hoc(evse, location) for evse in evses]
        all_of_them = {one["id"].lower(): one for its in by_evse for one in its}
        return SiteTariffs(list(all_of_them.values()), by_evse)

    def prices(self, tariff: JsonMapping, time_zone: str) -> list[JsonObject]:
        key = self._key(tariff, tariff["id"]), time_zone
        if key not in self._prices:
            self._prices[key] = prices_of(tariff, time_zone)
        return self._prices[key]

    @staticmethod
    def _key(owned: JsonMapping, tariff_id: str) -> str:
        return fold(owned["country_code"], owned["party_id"], tariff_id)


def energy_at_station(
    location: JsonMapping,
    means: list[JsonObject],
    rates: Iterable[JsonMapping],
    tariffs: Tariffs,
    site: str,
) -> list[JsonObject]:
    made = [
        _rate(tariff, tariffs.prices(tariff, location["time_zone"]), rate_id(site, tariff), means)
        for tariff in rates
    ]
    mix = location.get("energy_mix") or {}
    name = mix.get("energy_product_name") or mix.get("supplier_name")
    energy = said(
        energyProductName=name and text(name, ENGLISH),
        isGreenEnergy=mix.get("is_green_energy"),
        energyRate=made,
        carbonDioxideImpact=_impact(mix, "CARBON_DIOXIDE"),
        nuclearWasteImpact=_impact(mix, "NUCLEAR_WASTE"),
        electricEnergySourceRatio=[
            {
                "energySource": enum(ENERGY_SOURCES[source["source"]]),
                "sourceRatioValue": {"percentage": float(source["percentage"])},
            }
            for source in mix.get("energy_sources") or ()
        ],
    )
    return [energy] if energy else []


def _impact(mix: JsonMapping, category: str) -> float | None:
    impacts = mix.get("environ_impact") or ()
    return next((float(one["amount"]) for one in impacts if one["category"] == category), None)


def energy_at_point(rates: Iterable[JsonMapping], site: str) -> list[JsonObject]:
    references = [rate_reference(rate_id(site, tariff)) for tariff in rates]
    return [{"energyRateByReference": references}] if references else []


def rate_updates(
    location: JsonMapping, rates: Iterable[JsonMapping], tariffs: Tariffs, site: str
) -> list[JsonObject]:
    """The prices as the status has them: the law counts them among what changes."""
    return [
        {
            "lastUpdated": tariff["last_updated"],
            "energyRateReference": rate_reference(rate_id(site, tariff)),
            "energyPrice": tariffs.prices(tariff, location["time_zone"]),
        }
        for tariff in rates
    ]


def _rate(
    tariff: JsonMapping, prices: list[JsonObject], id_: str, means: list[JsonObject]
) -> JsonObject:
    begin, end = tariff.get("start_date_time"), tariff.get("end_date_time")
    valid = said(overallStartTime=valid_from(tariff), overallEndTime=end) if begin or end else None
    alternative = (tariff.get("tariff_alt_text") or [None])[0]
    return {
        "idG": id_,
        **said(
            ratePolicy=enum("adHoc"),
            lastUpdated=tariff["last_updated"],
            applicableCurrency=[tariff["currency"]],
            rateName=alternative and text(alternative["text"], alternative["language"]),
            maximumDeliveryFee=amount(tariff.get("max_price")),
            minimumDeliveryFee=amount(tariff.get("min_price")),
            additionalInformation=None if are_exclusive(prices) else text(_FIRST_COUNTS, ENGLISH),
            payment={"paymentMeans": means} if means else None,
            energyPrice=prices,
            overallPeriod=valid,
        ),
    }
