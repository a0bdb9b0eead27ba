"""The scalar types of OCPI 2.2.1 (types.asciidoc) and the base of all our models.

The library's own types change the case of a CiString, drop fractions of a second and coerce
("yes" is true, 230.9 is 230), so every field of ours is declared with a type of this file.
Validators return plain str, int and float: what passed is ready for JSON. An error text must
never repeat the value, for it may be a credentials token.
"""

import math
import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, ClassVar
from zoneinfo import available_timezones

from pydantic import BaseModel
from pydantic.errors import DictError

from db_interface.json_data import JsonObject
from domain.schemas.model_checks import ask_only_the_class_itself
from domain.schemas.plain_models import plain_values
from domain.times import normalise_datetime

ask_only_the_class_itself()  # before there are any

# MongoDB's and orjson's range: a larger integer could be neither stored nor sent.
_INT_LIMIT = 2**63
_FOUR_DECIMALS = Decimal("0.0001")

# Control characters (Cc), line and paragraph separators, and lone surrogates (not UTF-8 at all).
_NON_PRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PRINTABLE_ASCII = re.compile(r"[\x20-\x7e]*")
_URL = re.compile(
    r"https?://(?:[^/?#@<>\"\\\s]*@)?(?:\[[0-9a-f:.]+\]|[a-z0-9._~%-]+)(?::(\d{1,5}))?"
    r"(?:[/?#][!#-;=?-\[\]-~]*)?",
    re.ASCII | re.IGNORECASE,
)

Validator = Callable[[Any], Any]


class OcpiModel(BaseModel):
    """Base of every OCPI object: unknown fields are dropped, nothing but an object is taken."""

    class Config:
        extra = "ignore"
        use_enum_values = True

    @classmethod
    def validate(cls, value: object) -> Any:
        if type(value) is dict:
            values = plain_values(cls, value)
            if values is not None:
                return cls._of(values, value)
        # pydantic alone would try dict(value) and so take a list of pairs for an object.
        if not isinstance(value, (dict, cls)):
            raise DictError()
        return super().validate(value)

    @classmethod
    def _of(cls, values: dict[str, object], given: JsonObject) -> "OcpiModel":
        """One of these values, which have been checked."""
        made = cls.__new__(cls)
        object.__setattr__(made, "__dict__", values)
        object.__setattr__(made, "__fields_set__", {name for name in values if name in given})
        return made


class _Text(str):
    """A string with a largest length, and where given a pattern that it must match in full."""

    max_length: ClassVar[int] = 255
    pattern: ClassVar[re.Pattern[str] | None] = None
    expects: ClassVar[str] = "of the right form"

    @classmethod
    def __get_validators__(cls) -> Iterator[Validator]:
        yield cls.check

    @classmethod
    def __modify_schema__(cls, schema: JsonObject) -> None:
        schema.update(type="string", maxLength=cls.max_length)
        if cls.pattern is not None:
            schema.update(pattern=f"^{cls.pattern.pattern}$")

    @classmethod
    def check(cls, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError("not a string")
        if len(value) > cls.max_length:
            raise ValueError(f"longer than {cls.max_length} characters")
        cls.check_characters(value)
        if cls.pattern is not None and cls.pattern.fullmatch(value) is None:
            raise ValueError(f"not {cls.expects}")
        return str.__str__(value)

    @classmethod
    def check_characters(cls, value: str) -> None:
        if _NON_PRINTABLE.search(value):
            raise ValueError("contains a non-printable character")


class String(_Text):
    """string(n): printable UTF-8, case sensitive. Subclasses give n."""


class CiString(_Text):
    """CiString(n): printable ASCII that keeps its case; who compares it folds the case.

    Never empty: every CiString of the specification identifies something.
    """

    @classmethod
    def check_characters(cls, value: str) -> None:
        if not value:
            raise ValueError("empty")
        if _PRINTABLE_ASCII.fullmatch(value) is None:
            raise ValueError("contains a character that is not printable ASCII")


class CiString3(CiString):
    max_length = 3


class CiString4(CiString):
    max_length = 4


class CiString10(CiString):
    max_length = 10


class CiString20(CiString):
    max_length = 20


class CiString25(CiString):
    max_length = 25


class CiString32(CiString):
    max_length = 32


class CiString36(CiString):
    max_length = 36


class CiString39(CiString):
    max_length = 39


class CiString45(CiString):
    max_length = 45


class CiString48(CiString):
    max_length = 48


class CiString255(CiString):
    max_length = 255


class CountryCode(CiString):
    """CiString(2), ISO 3166-1 alpha-2."""

    max_length = 2
    pattern = re.compile("[A-Za-z]{2}")
    expects = "a country code of two letters"


class String4(String):
    max_length = 4


class String10(String):
    max_length = 10


class String12(String):
    max_length = 12


class String16(String):
    max_length = 16


class String20(String):
    max_length = 20


class String45(String):
    max_length = 45


class String50(String):
    max_length = 50


class String64(String):
    max_length = 64


class String100(String):
    max_length = 100


class String255(String):
    max_length = 255


class String512(String):
    max_length = 512


class String5000(String):
    max_length = 5000


class Country(String):
    """string(3), ISO 3166-1 alpha-3."""

    max_length = 3
    pattern = re.compile("[A-Za-z]{3}")
    expects = "a country code of three letters"


class Currency(String):
    """string(3), ISO 4217."""

    max_length = 3
    pattern = re.compile("[A-Za-z]{3}")
    expects = "a currency code of three letters"


class Language(String):
    """string(2), ISO 639-1."""

    max_length = 2
    pattern = re.compile("[A-Za-z]{2}")
    expects = "a language code of two letters"


class Latitude(String):
    max_length = 10
    pattern = re.compile(r"-?[0-9]{1,2}\.[0-9]{5,7}")
    expects = "a latitude with 5 to 7 decimals such as 50.770774"


class Longitude(String):
    max_length = 11
    pattern = re.compile(r"-?[0-9]{1,3}\.[0-9]{5,7}")
    expects = "a longitude with 5 to 7 decimals such as -126.104965"


class LocalTime(String):
    """string(5): a time of day at the location, 00:00 to 23:59."""

    max_length = 5
    pattern = re.compile("([0-1][0-9]|2[0-3]):[0-5][0-9]")
    expects = "a time of day such as 18:15"


class LocalDate(String):
    """string(10): a day at the location; the specification's pattern, and the day must exist."""

    max_length = 10
    pattern = re.compile("([12][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
    expects = "a date such as 2015-12-24"

    @classmethod
    def check(cls, value: object) -> str:
        text = super().check(value)
        try:
            date.fromisoformat(text)
        except ValueError:
            raise ValueError("not an existing date") from None
        return text


@lru_cache(maxsize=1)
def known_time_zones() -> frozenset[str]:
    """The names of IANA's tzdata as this host knows them."""
    return frozenset(available_timezones())


class TimeZone(String):
    """string(255): one of IANA tzdata's TZ-values."""

    @classmethod
    def check(cls, value: object) -> str:
        text = super().check(value)
        if text not in known_time_zones():
            raise ValueError("not an IANA time zone such as Europe/Oslo")
        return text


class CredentialsToken(String):
    """string(64) of U+0021 to U+007E (credentials, Credentials object)."""

    max_length = 64
    pattern = re.compile("[!-~]+")
    expects = "made of printable ASCII without whitespace"


class Url(String):
    """URL: string(255) that is an absolute http or https URL with a host."""

    @classmethod
    def check(cls, value: object) -> str:
        text = super().check(value)
        match = _URL.fullmatch(text)
        if match is None or int(match[1] or 0) > 65535:
            raise ValueError("not an http or https URL")
        return text


class DateTime(str):
    """A timestamp; comes out in UTC with `Z`, its fraction as given."""

    @classmethod
    def __get_validators__(cls) -> Iterator[Validator]:
        yield normalise_datetime

    @classmethod
    def __modify_schema__(cls, schema: JsonObject) -> None:
        schema.update(type="string", format="date-time")


class Int(int):
    """A JSON integer; neither a boolean nor text nor a number with a fraction part."""

    minimum: ClassVar[int] = -_INT_LIMIT
    maximum: ClassVar[int] = _INT_LIMIT - 1

    @classmethod
    def __get_validators__(cls) -> Iterator[Validator]:
        yield cls.check

    @classmethod
    def check(cls, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("not an integer")
        if not cls.minimum <= value <= cls.maximum:
            raise ValueError("integer out of range")
        return value


class Weekday(Int):
    """int(1): Monday (1) to Sunday (7)."""

    minimum = 1
    maximum = 7


class PixelCount(Int):
    """int(5): width or height of an image."""

    minimum = 0
    maximum = 99999


class Number(float):
    """number: a finite JSON number with at most 4 decimals; more are rounded half up."""

    minimum: ClassVar[float] = -math.inf
    maximum: ClassVar[float] = math.inf

    @classmethod
    def __get_validators__(cls) -> Iterator[Validator]:
        yield cls.check

    @classmethod
    def check(cls, value: object) -> int | float:
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            raise ValueError("not a number")
        number = round_to_four_decimals(value)
        if not cls.minimum <= number <= cls.maximum:
            raise ValueError("number out of range")
        return number


def round_to_four_decimals(value: int | float | Decimal) -> int | float:
    """The value with at most 4 decimals, halves away from zero as printed; an int stays one.

    Raises ValueError for NaN, infinities and integers beyond 64 bits.
    """
    if isinstance(value, int):
        if not -_INT_LIMIT <= value < _INT_LIMIT:
            raise ValueError("number out of range")
        return value
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    if isinstance(value, float) and round(value, 4) == value:
        return value + 0.0  # -0.0 becomes 0.0
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    # Beyond 15 digits a float holds no 4 decimals that quantize could cut off.
    if abs(exact) < Decimal("1e15"):
        exact = exact.quantize(_FOUR_DECIMALS, rounding=ROUND_HALF_UP)
    return float(exact) + 0.0


class Percentage(Number):
    """number from 0 to 100."""

    minimum = 0
    maximum = 100


class OneDecimalNumber(Number):
    """number with "at most one digit fraction" (charging profiles). More is refused, not rounded:

    a rounded limit could be above the one that was asked for.
    """

    @classmethod
    def check(cls, value: object) -> int | float:
        number = super().check(value)
        if round(number, 1) != number:
            raise ValueError("more than one decimal")
        return number
