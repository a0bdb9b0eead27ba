"""Documents held against DATEX II's own schema.

Its files are not ours to give out: DATEX_SCHEMA names the folder that holds DATEXII_3_D2Payload.xsd
of version 3.7 and the files beside it (docs/open-data.md says where they are had), and lxml has to
be installed. Skipped without them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import pytest

from db_interface.json_data import JsonObject
from domain.schemas import Location, Tariff, tidy_tariff, validate
from domain.schemas.location_enums import PowerType, Status
from domain.versions.v2_3_0.schemas import enums
from tests.domain.datex.complete import complete_location, complete_tariffs, status, table
from tests.domain.schemas.samples import connector, evse, location
from tests.domain.schemas.test_leniency import without_nulls
from tests.domain.schemas.test_real_data import read


class Schema(Protocol):
    def __call__(self, document: bytes) -> list[str]: ...


@pytest.fixture(scope="module")
def faults() -> Schema:
    """What the schema finds in a document."""
    folder = os.environ.get("DATEX_SCHEMA")
    if not folder:
        pytest.skip("DATEX_SCHEMA names the folder of DATEX II's schema 3.7, which is not ours")
    etree = pytest.importorskip("lxml.etree", reason="lxml reads the schema")
    schema = etree.XMLSchema(etree.parse(str(Path(folder) / "DATEXII_3_D2Payload.xsd")))

    def found(document: bytes) -> list[str]:
        schema.validate(etree.fromstring(document))
        return [str(one) for one in schema.error_log]

    return found


def test_a_location_that_says_all_there_is(faults: Schema) -> None:
    made, tariffs = complete_location(), complete_tariffs()
    assert faults(table(made, tariffs=tariffs)) == []
    assert faults(status(made, tariffs=tariffs)) == []


def test_each_word_of_ocpi(faults: Schema) -> None:
    plugs = [connector(id=str(n), standard=one) for n, one in enumerate(enums.ConnectorType.known)]
    powers = [connector(id=str(n), power_type=one.value) for n, one in enumerate(PowerType)]
    evses = [
        evse(uid="plugs", connectors=plugs, capabilities=list(enums.Capability.known)),
        evse(uid="powers", connectors=powers),
        *(evse(uid=one.value, status=one.value) for one in Status),
        *(
            evse(uid=one, parking_restrictions=[one], evse_id=f"NL*EVC*E{one}")
            for one in enums.ParkingRestriction.known
        ),
    ]
    sites = [
        location(id=one, evses=evses, parking_type=one, facilities=list(enums.Facility.known))
        for one in enums.ParkingType.known
    ]
    assert faults(table(*sites, tariffs=[])) == []
    assert faults(status(*sites, tariffs=[])) == []


def test_real_locations_with_real_tariffs(faults: Schema) -> None:
    shapes = [
        validate(Tariff, tidy_tariff(shape["example"])) for shape in read("tariff_shapes.json")
    ]
    for tariff in shapes:
        tariff.pop("type", None)
    sites = [validate(Location, without_nulls(one)) for one in read("locations_1000.json.gz")]
    tariffs: list[JsonObject] = []
    for number, site in enumerate(sites):
        priced = {**shapes[number % len(shapes)], "id": site["id"]}
        tariffs.append({**priced, **{key: site[key] for key in ("country_code", "party_id")}})
        for one in site["evses"][::2]:
            one["connectors"][0]["tariff_ids"] = [site["id"]]
    assert faults(table(*sites, tariffs=tariffs)) == []
    assert faults(status(*sites, tariffs=tariffs)) == []
