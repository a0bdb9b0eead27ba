"""Tariffs (OCPI 2.1.1, mod_tariffs): prices are numbers without VAT."""

from __future__ import annotations

from pydantic import Field

from domain.schemas import DisplayText, OcpiModel
from domain.schemas.enums import DayOfWeek, TariffDimensionType
from domain.schemas.types import Currency, DateTime, Int, LocalDate, LocalTime, Number, Url
from domain.versions.v2_1_1.schemas.locations import EnergyMix
from domain.versions.v2_1_1.schemas.types import Id36


class PriceComponent(OcpiModel):
    type: TariffDimensionType
    price: Number
    step_size: Int


class TariffRestrictions(OcpiModel):
    start_time: LocalTime | None = None
    end_time: LocalTime | None = None
    start_date: LocalDate | None = None
    end_date: LocalDate | None = None
    min_kwh: Number | None = None
    max_kwh: Number | None = None
    min_power: Number | None = None
    max_power: Number | None = None
    min_duration: Int | None = None
    max_duration: Int | None = None
    day_of_week: list[DayOfWeek] | None = None


class TariffElement(OcpiModel):
    price_components: list[PriceComponent] = Field(..., min_items=1)
    restrictions: TariffRestrictions | None = None


class Tariff(OcpiModel):
    id: Id36
    currency: Currency
    tariff_alt_text: list[DisplayText] | None = None
    tariff_alt_url: Url | None = None
    elements: list[TariffElement] = Field(..., min_items=1)
    energy_mix: EnergyMix | None = None
    last_updated: DateTime
