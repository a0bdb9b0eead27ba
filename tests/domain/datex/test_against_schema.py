"""Documents held against DATEX II's own schemas.

Their files are not ours to give out (docs/open-data.md says where they are had). DATEX_SCHEMA names
the folder that holds DATEXII_3_D2Payload.xsd of version 3.7 and the files beside it; lxml has to be
installed. DATEX_JSON_SCHEMA names the folder that holds those of the profile "AFIR Energy
Infrastructure", in the folders EnergyInfrastructureTablePublication and ...StatusPublication;
jsonschema has to be installed. Skipped without them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson
import pytest

from db_interface.json_data import JsonObject
from domain.schemas import Location, Tariff, tidy_tariff, validate
from domain.schemas.location_enums import PowerType, Status
from domain.versions.v2_3_0.schemas import enums
from tests.domain.datex import complete
from tests.domain.schemas.samples import connector, evse, location
from tests.domain.schemas.test_leniency import without_nulls
from tests.domain.schemas.test_real_data import read

Faults = Callable[[bytes], list[str]]
"""What a schema finds in a document."""
ROOTS = {"Table": "DATEXII_3_D2Payload.json", "Status": "DATEXII_3_MessageContainer.json"}


def folder_of(variable: str) -> Path:
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"{variable} names the folder of DATEX II's schema, which is not ours")
    return Path(folder)


def of_xml() -> Faults:
    folder = folder_of("DATEX_SCHEMA")
    etree = pytest.importorskip("lxml.etree", reason="lxml reads the schema")
    schema = etree.XMLSchema(etree.parse(str(folder / "DATEXII_3_D2Payload.xsd")))

    def found(document: bytes) -> list[str]:
        schema.validate(etree.fromstring(document))
        return [str(one) for one in schema.error_log]

    return found


def of_json(kind: str) -> Faults:
    folder = folder_of("DATEX_JSON_SCHEMA") / f"EnergyInfrastructure{kind}Publication"
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema reads the schema")
    referencing = pytest.importorskip("referencing", reason="jsonschema needs it")
    parts = {one.name: orjson.loads(one.read_bytes()) for one in folder.glob("DATEXII_3_*.json")}
    known = referencing.Registry().with_resources(
        (name, referencing.Resource.from_contents(part)) for name, part in parts.items()
    )
    schema = jsonschema.Draft202012Validator({"$ref": ROOTS[kind]}, registry=known)

    def found(document: bytes) -> list[str]:
        return [one.message for one in schema.iter_errors(orjson.loads(document))]

    return found


Checks = Mapping[Callable[..., bytes], Faults]


@pytest.fixture(scope="module", params=["xml", "json"])
def checks(request: pytest.FixtureRequest) -> Checks:
    if request.param == "xml":
        faults = of_xml()
        return {complete.table: faults, complete.status: faults}
    return {complete.table_json: of_json("Table"), complete.status_json: of_json("Status")}


def all_are_sound(checks: Checks, locations: list[JsonObject], tariffs: list[JsonObject]) -> None:
    for document, faults in checks.items():
        assert faults(document(*locations, tariffs=tariffs)) == []


def test_a_location_that_says_all_there_is(checks: Checks) -> None:
    all_are_sound(checks, [complete.complete_location()], complete.complete_tariffs())


def test_each_word_of_ocpi(checks: Checks) -> None:
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
    all_are_sound(checks, sites, [])


def test_real_locations_with_real_tariffs(checks: Checks) -> None:
    shapes = [
        validate(Tariff, tidy_tariff(shape["example"])) for shape in read("tariff_shapes.json")
    ]
    for tariff in shapes:
        tariff.pop("type", None)
    sites = [validate(Location, without_nulls(one)) for one in read("locations_1000.json.gz")[::5]]
    tariffs: list[JsonObject] = []
    for number, site in enumerate(sites):
        priced = {**shapes[number % len(shapes)], "id": site["id"]}
        tariffs.append({**priced, **{key: site[key] for key in ("country_code", "party_id")}})
        for one in site["evses"][::2]:
            one["connectors"][0]["tariff_ids"] = [site["id"]]
    all_are_sound(checks, sites, tariffs)
