"""Inner objects as OCPI 2.3.0 has them. Of what 2.2.1 can say nothing is lost."""

from __future__ import annotations

from db_interface.json_data import JsonObject
from domain.versions.fitting import Notes, Rules, fitting
from domain.versions.ocpi_version import Context
from domain.versions.taxes import total
from domain.versions.v2_3_0.schemas import MODELS, bills, common, tokens

VAT = "VAT"
"""What the one tax is called that 2.2.1 knows."""


def _price(price: JsonObject, _notes: Notes, _context: Context) -> JsonObject:
    including = price.pop("incl_vat", None)
    if including is not None and "taxes" not in price:
        price["taxes"] = [{"name": VAT, "amount": total((including, -price["excl_vat"]))}]
    return price


def _tariff(tariff: JsonObject, _notes: Notes, _context: Context) -> JsonObject:
    tariff.setdefault("tax_included", "NO")
    return tariff


def _credentials(credentials: JsonObject, notes: Notes, _context: Context) -> JsonObject:
    """A hub names itself in hub_party_id; there is no role HUB, so its party is an OTHER."""
    roles = []
    for number, role in enumerate(credentials["roles"]):
        if role["role"] == "HUB":
            party = f"{role['country_code']}{role['party_id']}"
            if credentials.setdefault("hub_party_id", party) != party:
                notes.at("roles").at(number).lost("role", "OCPI 2.3.0 has one hub in credentials")
            role = {**role, "role": "OTHER"}
        roles.append(role)
    return {**credentials, "roles": roles}


RULES = Rules(
    into="OCPI 2.3.0",
    names={
        common.Price: {"before_taxes": "excl_vat"},
        common.PriceLimit: {"before_taxes": "excl_vat", "after_taxes": "incl_vat"},
    },
    nearest={"Role": {"HUB": "OTHER"}},
    shapes={
        common.Price: _price,
        bills.Tariff: _tariff,
        tokens.Credentials: _credentials,
    },
)
RENDERERS = fitting(MODELS, RULES)
