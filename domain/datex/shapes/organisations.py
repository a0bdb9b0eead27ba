"""Who: organisations, and what identifies anything."""

from __future__ import annotations

from domain.datex.shapes.fields import fields
from domain.datex.xml import Shape, enumeration, multilingual, one_of, plain, several

EXTERNAL_IDENTIFIER = Shape(
    {},
    fields("afac", identifier=plain, typeOfIdentifier=enumeration, otherTypeOfIdentifier=plain),
)
_CONTACT = one_of(
    {
        "afacContactInformation": (
            "afac:ContactInformation",
            Shape({}, fields("afac", telephoneNumber=plain)),
        )
    }
)
ORGANISATION = one_of(
    {
        "afacAnOrganisation": (
            "afac:AnOrganisation",
            Shape(
                {},
                fields(
                    "afac",
                    name=multilingual,
                    legalName=multilingual,
                    linkToGeneralInformation=plain,
                    linkToLogo=plain,
                    organisationUnit=several(
                        Shape({}, fields("afac", contactInformation=several(_CONTACT)))
                    ),
                    externalIdentifier=several(EXTERNAL_IDENTIFIER),
                ),
            ),
        )
    }
)
