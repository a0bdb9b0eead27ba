"""Models that are checked field by field: what comes out, and what is said, is pydantic's."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from bench.locations import location
from db_interface.json_data import JsonObject
from domain.schemas import SchemaError, types, validate
from domain.schemas.locations import Connector, GeoLocation
from domain.schemas.plain_models import plain_values
from domain.versions.own import Location, Tariff
from tests.domain.schemas.samples import tariff

VALUES: tuple[Any, ...] = (None, "", "x" * 600, "AVAILABLE", "a\x00b", 5, 5.5, True, [], {}, [None])


def broken(part: Any) -> Iterator[None]:
    """Changes each value inside, one at a time, to each of VALUES."""
    for place in list(part) if isinstance(part, dict) else range(len(part)):
        kept = part[place]
        for value in VALUES:
            part[place] = copy.deepcopy(value)
            yield
        part[place] = kept
        if isinstance(kept, dict | list):
            yield from broken(kept)


def said_of(model: Any, data: JsonObject) -> Any:
    try:
        return orjson.dumps(validate(model, data))
    except SchemaError as error:
        return error.errors


@pytest.mark.parametrize(("model", "sample"), [(Location, location(7)), (Tariff, tariff())])
def test_whatever_comes_it_is_judged_as_by_pydantic(
    model: Any, sample: JsonObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = copy.deepcopy(sample)
    quick = [said_of(model, data) for _ in broken(data)]
    monkeypatch.setattr(types, "plain_values", lambda *_: None)
    assert quick == [said_of(model, data) for _ in broken(data)]
    assert len({str(said) for said in quick}) > 20


def test_a_connector_and_a_place_are_plain() -> None:
    connector = location(7)["evses"][0]["connectors"][0]
    assert plain_values(Connector, connector) is not None
    assert plain_values(Connector, {**connector, "standard": "PLUG"}) is None
    place = {"latitude": "52.12345", "longitude": "5.12345"}
    assert plain_values(GeoLocation, place) == place
    made = GeoLocation.validate(place)
    assert (made.dict(), made.__fields_set__) == (place, {*place})
