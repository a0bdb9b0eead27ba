"""Documents of OCPI objects as the text answers lists: `{"data": [...], "status_code": 1000, ...}`.

Which tariffs are in them: those that a driver without a contract may pay (mod_tariffs, TariffType:
AD_HOC_PAYMENT; without a type it "is valid for all Charging Sessions") and that a connector of a
published location names. One that has ended is not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache

import orjson

from domain.open_data.edition import Shape
from domain.open_data.parts import Render
from domain.times import format_datetime, parse_datetime

MEDIA_TYPE = "application/json"
_BEGIN = b'{"data":['
_FOR_ALL = ("AD_HOC_PAYMENT", None)
_TARIFF_IDS = re.compile(rb'"tariff_ids":(\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])')


def _status(at: datetime) -> bytes:
    return b',"status_code":1000,"status_message":"Success","timestamp":"%b"}' % (
        format_datetime(at).encode()
    )


def list_of(objects: Sequence[bytes], now: datetime) -> bytes:
    """Rendered objects as OCPI answers a list."""
    return b"".join((_BEGIN, b",".join(objects), b"]", _status(now)))


def one_of(rendered: bytes, now: datetime) -> bytes:
    return b"".join((b'{"data":', rendered, _status(now)))


def named_tariffs(location: bytes) -> Collection[str]:
    """The folded ids of the tariffs that a rendered location names."""
    return [name for ids in _TARIFF_IDS.findall(location) for name in _read(ids)]


@lru_cache(maxsize=1024)
def _read(ids: bytes) -> frozenset[str]:
    return frozenset(name.lower() for name in orjson.loads(ids))


OBJECTS = Shape(MEDIA_TYPE, begin=lambda _: _BEGIN, end=lambda at: b"]" + _status(at), between=b",")
LOCATIONS = Shape(MEDIA_TYPE, OBJECTS.begin, OBJECTS.end, OBJECTS.between, named_tariffs)


def as_it_is(raw: bytes) -> bytes:
    return raw


def ad_hoc_only(named: Collection[str], now: datetime) -> Render:
    """Renders those of the tariffs that are among `named` (folded ids)."""

    def render(raw: bytes) -> bytes | None:
        tariff = orjson.loads(raw)
        if tariff.get("type") not in _FOR_ALL or tariff["id"].lower() not in named:
            return None
        end = tariff.get("end_date_time")
        return None if end is not None and parse_datetime(end) < now else raw

    return render
