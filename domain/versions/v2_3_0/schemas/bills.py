"""Sessions, CDRs and tariffs (OCPI 2.3.0): prices with their taxes."""

from __future__ import annotations

from domain import schemas
from domain.versions.derived import any_number, derived, optional, required
from domain.versions.v2_3_0.schemas.common import Price, PriceLimit
from domain.versions.v2_3_0.schemas.enums import ConnectorType, TaxIncluded, TokenType
from domain.versions.v2_3_0.schemas.locations import EnergyMix

CdrToken = derived(schemas.CdrToken, type=required(TokenType))
CdrLocation = derived(schemas.CdrLocation, connector_standard=required(ConnectorType))
Tariff = derived(
    schemas.Tariff,
    min_price=optional(PriceLimit),
    max_price=optional(PriceLimit),
    energy_mix=optional(EnergyMix),
    tax_included=required(TaxIncluded),
)
Session = derived(schemas.Session, cdr_token=required(CdrToken), total_cost=optional(Price))
CDR = derived(
    schemas.CDR,
    cdr_token=required(CdrToken),
    cdr_location=required(CdrLocation),
    tariffs=any_number(Tariff),
    total_cost=required(Price),
    total_fixed_cost=optional(Price),
    total_energy_cost=optional(Price),
    total_time_cost=optional(Price),
    total_parking_cost=optional(Price),
    total_reservation_cost=optional(Price),
)
