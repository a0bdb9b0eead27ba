"""The forms of DATEX II's two publications: XML, and JSON for the German access point. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from domain.datex import afir_json, publications
from domain.datex.publisher import Publisher
from domain.datex.rates import Tariffs


class Form(NamedTuple):
    media_type: str
    begin: Callable[[Publisher, datetime], bytes]
    """what stands before the locations; given when it is made"""
    end: Callable[[Publisher, datetime], bytes]
    part: Callable[[bytes, Tariffs, Publisher], bytes | None]
    """a location, as JSON of the inner model; None: it does not stand there"""
    between: bytes = b""


FORMS: Mapping[str, Form] = {
    "table.xml": Form(
        publications.MEDIA_TYPE,
        publications.table_begin,
        publications.table_end,
        publications.table_part,
    ),
    "status.xml": Form(
        publications.MEDIA_TYPE,
        publications.status_begin,
        publications.status_end,
        publications.status_part,
    ),
    "table.json": Form(
        afir_json.MEDIA_TYPE,
        afir_json.table_begin,
        afir_json.table_end,
        afir_json.table_part,
        b",",
    ),
    "status.json": Form(
        afir_json.MEDIA_TYPE,
        afir_json.status_begin,
        afir_json.status_end,
        afir_json.status_part,
        b",",
    ),
}
"""By the names that they are offered under."""
