"""What OCPI 2.3.0's types say of prices and taxes, and the image with its open category."""

from __future__ import annotations

from domain import schemas
from domain.schemas.types import Number, OcpiModel, String255
from domain.versions.derived import derived, optional, required
from domain.versions.v2_3_0.schemas.enums import ImageCategory


class TaxAmount(OcpiModel):
    """The table gives its strings no length; 255 is the longest of any other."""

    name: String255
    account_number: String255 | None = None
    percentage: Number | None = None
    amount: Number


class Price(OcpiModel):
    before_taxes: Number
    taxes: list[TaxAmount] | None = None


class PriceLimit(OcpiModel):
    before_taxes: Number
    after_taxes: Number | None = None


Image = derived(schemas.Image, category=required(ImageCategory))
BusinessDetails = derived(schemas.BusinessDetails, logo=optional(Image))
