"""Tariffs (OCPI 2.2.1, mod_tariffs): Tariff, its elements, price components and restrictions."""

from pydantic import Field, root_validator

from db_interface.json_data import JsonObject
from domain.schemas.common import DisplayText, Price
from domain.schemas.enums import (
    DayOfWeek,
    ReservationRestrictionType,
    TariffDimensionType,
    TariffType,
)
from domain.schemas.locations import EnergyMix
from domain.schemas.types import (
    CiString3,
    CiString36,
    CountryCode,
    Currency,
    DateTime,
    Int,
    LocalDate,
    LocalTime,
    Number,
    OcpiModel,
    Url,
)

# TariffRestrictions.reservation: "can only have FLAT and TIME TariffDimensions".
_RESERVATION_DIMENSIONS = frozenset({"FLAT", "TIME"})


class PriceComponent(OcpiModel):
    type: TariffDimensionType
    price: Number
    vat: Number | None = None
    step_size: Int


class TariffRestrictions(OcpiModel):
    start_time: LocalTime | None = None
    end_time: LocalTime | None = None
    start_date: LocalDate | None = None
    end_date: LocalDate | None = None
    min_kwh: Number | None = None
    max_kwh: Number | None = None
    min_current: Number | None = None
    max_current: Number | None = None
    min_power: Number | None = None
    max_power: Number | None = None
    min_duration: Int | None = None
    max_duration: Int | None = None
    day_of_week: list[DayOfWeek] | None = None
    reservation: ReservationRestrictionType | None = None


class TariffElement(OcpiModel):
    price_components: list[PriceComponent] = Field(..., min_items=1)
    restrictions: TariffRestrictions | None = None

    @root_validator(skip_on_failure=True)
    def _reservation_dimensions(cls, values: JsonObject) -> JsonObject:
        restrictions = values["restrictions"]
        if restrictions is None or restrictions.reservation is None:
            return values
        if any(c.type not in _RESERVATION_DIMENSIONS for c in values["price_components"]):
            raise ValueError("a reservation can only have FLAT and TIME price components")
        return values


class Tariff(OcpiModel):
    country_code: CountryCode
    party_id: CiString3
    id: CiString36
    currency: Currency
    type: TariffType | None = None
    tariff_alt_text: list[DisplayText] | None = None
    tariff_alt_url: Url | None = None
    min_price: Price | None = None
    max_price: Price | None = None
    elements: list[TariffElement] = Field(..., min_items=1)
    start_date_time: DateTime | None = None
    end_date_time: DateTime | None = None
    energy_mix: EnergyMix | None = None
    last_updated: DateTime
