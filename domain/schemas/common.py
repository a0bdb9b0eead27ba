"""The two classes that every module shares: DisplayText and Price (OCPI 2.2.1, types)."""

from domain.schemas.types import Language, Number, OcpiModel, String512


class DisplayText(OcpiModel):
    language: Language
    text: String512


class Price(OcpiModel):
    excl_vat: Number
    incl_vat: Number | None = None
