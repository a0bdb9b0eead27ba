"""The objects of OCPI 2.3.0 as its text's tables say them; classes equal in 2.2.1 are shared."""

from __future__ import annotations

from collections.abc import Mapping

from domain.schemas import OcpiModel
from domain.versions.ocpi_version import ObjectKind
from domain.versions.v2_2_1.schemas import MODELS as OF_2_2_1
from domain.versions.v2_3_0.schemas import bills, locations, payments, tokens

MODELS: Mapping[ObjectKind, type[OcpiModel]] = {
    **OF_2_2_1,
    ObjectKind.LOCATION: locations.Location,
    ObjectKind.EVSE: locations.EVSE,
    ObjectKind.CONNECTOR: locations.Connector,
    ObjectKind.SESSION: bills.Session,
    ObjectKind.CDR: bills.CDR,
    ObjectKind.TARIFF: bills.Tariff,
    ObjectKind.TOKEN: tokens.Token,
    ObjectKind.AUTHORIZATION_INFO: tokens.AuthorizationInfo,
    ObjectKind.CREDENTIALS: tokens.Credentials,
    ObjectKind.VERSION: tokens.Version,
    ObjectKind.VERSION_DETAILS: tokens.VersionDetails,
    ObjectKind.RESERVE_NOW: tokens.ReserveNow,
    ObjectKind.START_SESSION: tokens.StartSession,
    ObjectKind.CLIENT_INFO: tokens.ClientInfo,
    ObjectKind.TERMINAL: payments.Terminal,
    ObjectKind.FINANCIAL_ADVICE_CONFIRMATION: payments.FinancialAdviceConfirmation,
}
