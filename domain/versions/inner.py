"""The inner model: OCPI 2.2.1's objects with what later versions add, under their names.

Every added field is optional and every added value is one that an OpenEnum takes, so each object of
2.2.1 is one of these. A Price keeps 2.2.1's two numbers, and `taxes` where they are known singly.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain import schemas
from domain.schemas import OcpiModel
from domain.versions.derived import any_number, derived, optional, required
from domain.versions.ocpi_version import ObjectKind
from domain.versions.v2_2_1.schemas import MODELS as OF_2_2_1
from domain.versions.v2_3_0.schemas import bills, common, locations, payments, tokens
from domain.versions.v2_3_0.schemas.enums import TaxIncluded, TokenType

TOKEN_TYPES = TokenType.known
"""Those that the texts name; an eMSP may have others."""
CdrToken = bills.CdrToken
Token = tokens.Token
AuthorizationInfo = tokens.AuthorizationInfo
Price = derived(schemas.Price, taxes=any_number(common.TaxAmount))
Tariff = derived(
    schemas.Tariff,
    tax_included=optional(TaxIncluded),
    energy_mix=optional(locations.EnergyMix),
)
"""Without tax_included its prices are without taxes, as in 2.2.1."""
Session = derived(schemas.Session, cdr_token=required(bills.CdrToken), total_cost=optional(Price))
CDR = derived(
    schemas.CDR,
    cdr_token=required(bills.CdrToken),
    cdr_location=required(bills.CdrLocation),
    tariffs=any_number(Tariff),
    total_cost=required(Price),
    total_fixed_cost=optional(Price),
    total_energy_cost=optional(Price),
    total_time_cost=optional(Price),
    total_parking_cost=optional(Price),
    total_reservation_cost=optional(Price),
)
Credentials = derived(schemas.Credentials, hub_party_id=optional(tokens.HubPartyId))
FinancialAdviceConfirmation = derived(
    payments.FinancialAdviceConfirmation, total_costs=required(Price)
)

MODELS: Mapping[ObjectKind, type[OcpiModel]] = {
    **OF_2_2_1,
    ObjectKind.LOCATION: locations.Location,
    ObjectKind.EVSE: locations.EVSE,
    ObjectKind.CONNECTOR: locations.Connector,
    ObjectKind.SESSION: Session,
    ObjectKind.CDR: CDR,
    ObjectKind.TARIFF: Tariff,
    ObjectKind.TOKEN: tokens.Token,
    ObjectKind.AUTHORIZATION_INFO: tokens.AuthorizationInfo,
    ObjectKind.CREDENTIALS: Credentials,
    ObjectKind.RESERVE_NOW: tokens.ReserveNow,
    ObjectKind.START_SESSION: tokens.StartSession,
    ObjectKind.TERMINAL: payments.Terminal,
    ObjectKind.FINANCIAL_ADVICE_CONFIRMATION: FinancialAdviceConfirmation,
}
