"""Real locations and tariffs of the Dutch access point (not ours to publish: skipped if absent)."""

from __future__ import annotations

import gzip
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from domain.schemas import Location, SchemaError, Tariff, tidy_location, tidy_tariff, validate
from tests.domain.schemas.test_leniency import without_nulls

DATA = Path(
    os.environ.get("OCPI_TEST_DATA") or Path(__file__).parents[3] / "../shared/data/ndw"
).resolve()


def read(name: str) -> Any:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not here; OCPI_TEST_DATA names the folder that holds it")
    raw = path.read_bytes()
    return json.loads(gzip.decompress(raw) if name.endswith(".gz") else raw)


def test_every_real_location_comes_back_equal_but_for_its_nulls() -> None:
    locations = read("locations_1000.json.gz")
    assert len(locations) == 1000
    for location in locations:
        assert validate(Location, location) == without_nulls(location)
        assert validate(Location, tidy_location(location)) == without_nulls(location)


def test_every_real_tariff_shape_is_taken_and_only_line_breaks_are_mended() -> None:
    shapes = [shape["example"] for shape in read("tariff_shapes.json")]
    assert len(shapes) == 54
    mended = 0
    for tariff in shapes:
        wanted = without_nulls(tariff)
        try:
            assert validate(Tariff, tariff) == wanted
        except SchemaError as refused:
            # types, string: line breaks are not allowed.
            assert {reason for _, reason in refused.errors} == {
                "contains a non-printable character"
            }
            mended += 1
            for text in wanted["tariff_alt_text"]:
                text["text"] = " ".join(part.strip() for part in text["text"].splitlines() if part)
        got = validate(Tariff, tidy_tariff(tariff))
        for text in got.get("tariff_alt_text", []) + wanted.get("tariff_alt_text", []):
            text["text"] = " ".join(text["text"].split())
        assert got == wanted
    assert mended == 6


def test_validation_of_a_location_takes_well_below_a_millisecond() -> None:
    location = next(x for x in read("locations_1000.json.gz") if len(x["evses"]) == 2)
    best = min(_seconds_for(location, 50) for _ in range(5)) / 50
    assert best < 0.001


def _seconds_for(location: dict[str, Any], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        validate(Location, location)
    return time.perf_counter() - start
