"""Sessions and CDRs (OCPI 2.1.1, mod_sessions and mod_cdrs): both hold a whole Location."""

from __future__ import annotations

from pydantic import Field

from domain.schemas import OcpiModel
from domain.schemas.types import CiString36, Currency, DateTime, Number, String255
from domain.versions.v2_1_1.schemas.enums import AuthMethod, CdrDimensionType, SessionStatus
from domain.versions.v2_1_1.schemas.locations import Location
from domain.versions.v2_1_1.schemas.tariffs import Tariff
from domain.versions.v2_1_1.schemas.types import Id36


class CdrDimension(OcpiModel):
    type: CdrDimensionType
    volume: Number


class ChargingPeriod(OcpiModel):
    start_date_time: DateTime
    dimensions: list[CdrDimension] = Field(..., min_items=1)


class Session(OcpiModel):
    id: Id36
    start_datetime: DateTime
    end_datetime: DateTime | None = None
    kwh: Number
    auth_id: Id36
    auth_method: AuthMethod
    location: Location
    meter_id: String255 | None = None
    currency: Currency
    charging_periods: list[ChargingPeriod] | None = None
    total_cost: Number | None = None
    status: SessionStatus
    last_updated: DateTime


class CDR(OcpiModel):
    id: CiString36
    start_date_time: DateTime
    stop_date_time: DateTime
    auth_id: Id36
    auth_method: AuthMethod
    location: Location
    meter_id: String255 | None = None
    currency: Currency
    tariffs: list[Tariff] | None = None
    charging_periods: list[ChargingPeriod] = Field(..., min_items=1)
    total_cost: Number
    total_energy: Number
    total_time: Number
    total_parking_time: Number | None = None
    remark: String255 | None = None
    last_updated: DateTime
