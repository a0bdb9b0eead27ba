"""Payment terminals and what was captured for a session (OCPI 2.3.0, mod_payments).

A PTP (payment terminal provider) owns both objects; we keep and show what it sends.
"""

from __future__ import annotations

from pydantic import Field, root_validator

from db_interface.json_data import JsonObject
from domain import schemas
from domain.schemas.enums import OcpiEnum
from domain.schemas.types import (
    CiString3,
    CiString10,
    CiString20,
    CiString36,
    CiString45,
    CiString255,
    CountryCode,
    DateTime,
    OcpiModel,
    Url,
)
from domain.versions.taxes import total
from domain.versions.v2_3_0.schemas.common import Price


class InvoiceCreator(OcpiEnum):
    """Who issues the driver's invoice."""

    CPO = "CPO"
    PTP = "PTP"


class CaptureStatusCode(OcpiEnum):
    SUCCESS = "SUCCESS"
    PARTIAL_SUCCESS = "PARTIAL_SUCCESS"
    FAILED = "FAILED"


class Terminal(OcpiModel):
    terminal_id: CiString36
    customer_reference: CiString36 | None = None
    party_id: CiString3 | None = None
    country_code: CountryCode | None = None
    address: CiString45 | None = None
    city: CiString45 | None = None
    postal_code: CiString10 | None = None
    state: CiString20 | None = None
    country: CiString3 | None = None
    coordinates: schemas.GeoLocation | None = None
    invoice_base_url: Url | None = None
    invoice_creator: InvoiceCreator | None = None
    reference: CiString36 | None = None
    location_ids: list[CiString36] | None = None
    evse_uids: list[CiString36] | None = None
    last_updated: DateTime


class FinancialAdviceConfirmation(OcpiModel):
    id: CiString36
    authorization_reference: CiString36
    total_costs: Price
    currency: CiString3
    eft_data: list[CiString255] = Field(..., min_items=1)
    capture_status_code: CaptureStatusCode
    capture_status_message: CiString255 | None = None
    last_updated: DateTime

    @root_validator(pre=True)
    def _price_of_the_texts_examples(cls, values: JsonObject) -> JsonObject:
        """The table says Price, the text's own examples have 2.2.1's: both are taken."""
        costs = values.get("total_costs")
        if not isinstance(costs, dict) or "before_taxes" in costs:
            return values
        without, including = costs.get("excl_vat"), costs.get("incl_vat")
        if not isinstance(without, (int, float)):
            return values
        price: JsonObject = {"before_taxes": without}
        if isinstance(including, (int, float)):
            price["taxes"] = [{"name": "VAT", "amount": total((including, -without))}]
        return {**values, "total_costs": price}
