"""OCPI 2.3.0's objects as inner ones. Nothing is lost: the inner model has all of its fields."""

from __future__ import annotations

from db_interface.json_data import JsonObject
from domain import schemas
from domain.versions import inner
from domain.versions.fitting import Notes, Rules, fitting
from domain.versions.ocpi_version import Context
from domain.versions.taxes import total
from domain.versions.v2_3_0.rendering import VAT
from domain.versions.v2_3_0.schemas import MODELS


def _price(price: JsonObject, _notes: Notes, _context: Context) -> JsonObject:
    taxes = price.get("taxes")
    if taxes:
        amounts = (tax["amount"] for tax in taxes)
        price["incl_vat"] = total((price["before_taxes"], *amounts))
        if len(taxes) == 1 and taxes[0] == {"name": VAT, "amount": taxes[0]["amount"]}:
            del price["taxes"]
    return price


def _tariff(tariff: JsonObject, _notes: Notes, _context: Context) -> JsonObject:
    if tariff["tax_included"] == "NO":  # what inner prices are where nothing is said
        del tariff["tax_included"]
    return tariff


def _credentials(credentials: JsonObject, _notes: Notes, _context: Context) -> JsonObject:
    """A hub's party is inside a role HUB, where it is among the roles; else it stays as it is."""
    hub = credentials.get("hub_party_id")
    if hub is None:
        return credentials
    roles = [
        {**role, "role": "HUB"}
        if role["role"] == "OTHER" and f"{role['country_code']}{role['party_id']}" == hub
        else role
        for role in credentials["roles"]
    ]
    if roles != credentials["roles"]:
        del credentials["hub_party_id"]
    return {**credentials, "roles": roles}


RULES = Rules(
    into="the inner model",
    names={
        inner.Price: {"excl_vat": "before_taxes"},
        schemas.Price: {"excl_vat": "before_taxes", "incl_vat": "after_taxes"},
    },
    shapes={
        inner.Price: _price,
        inner.Tariff: _tariff,
        inner.Credentials: _credentials,
    },
)
READERS = fitting({kind: inner.MODELS[kind] for kind in MODELS}, RULES)
