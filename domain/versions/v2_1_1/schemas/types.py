"""The scalar types of OCPI 2.1.1 (types.md) where they differ from 2.2.1's.

Ids are `string` there, not CiString: case sensitive. The text wants `string` to be printable ASCII;
what we send is (see text.py), but a peer's "Société" is taken: refusing its token would leave its
driver without a charge for a letter.
"""

from __future__ import annotations

import re

from domain.schemas.types import CiString, Latitude, Longitude, String, String64


class _Id(String):
    """Never empty, printable ASCII: it identifies something."""

    @classmethod
    def check_characters(cls, value: str) -> None:
        CiString.check_characters(value)


class Id3(_Id):
    max_length = 3


class Id36(_Id):
    max_length = 36


class Id39(_Id):
    max_length = 39


class Id48(_Id):
    max_length = 48


class Code2(_Id):
    """string(2), ISO 3166-1 alpha-2."""

    max_length = 2
    pattern = re.compile("[A-Za-z]{2}")
    expects = "a country code of two letters"


class Token64(String64):
    """string(64): a credentials token, "printable, non-whitespace ASCII characters"."""

    pattern = re.compile("[!-~]+")
    expects = "made of printable ASCII without whitespace"


class Latitude6(Latitude):
    pattern = re.compile(r"-?[0-9]{1,2}\.[0-9]{6}")
    expects = "a latitude with 6 decimals such as 50.770774"


class Longitude6(Longitude):
    pattern = re.compile(r"-?[0-9]{1,3}\.[0-9]{6}")
    expects = "a longitude with 6 decimals such as -126.104965"
