"""Documents of OCPI objects as the text answers lists: `{"data": [...], "status_code": 1000, ...}`.

Which tariffs are in them: those that a driver without a contract may pay (ad_hoc.py) and that a
connector of a published location names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache

import orjson

from domain.open_data.ad_hoc import is_payable
from domain.open_data.edition import Shape
from domain.open_data.parts import Render
from domain.times import format_datetime

MEDIA_TYPE = "application/json"
_BEGIN = b'{"data":['
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


def ad_hoc_only(named: Collection[str] | None, now: datetime) -> Render:
    """Renders those of the tariffs that are among `named` (folded ids; None: it is not known)."""

    def render(raw: bytes) -> bytes | None:
        tariff = orjson.loads(raw)
        is_named = named is None or tariff["id"].lower() in named
        return raw if is_named and is_payable(tariff, now) else None

    return render
