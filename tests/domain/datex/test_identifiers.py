"""What a status does not change has the version that it had; all else has another one."""

from __future__ import annotations

from copy import deepcopy

import pytest

from db_interface.json_data import JsonObject
from domain.datex.rates import Tariffs
from domain.datex.sites import site_of
from domain.datex.statuses import site_status
from tests.domain.datex.complete import PUBLISHER, complete_location, complete_tariffs

LATER = "2026-11-22T09:00:00Z"


def version(location: JsonObject, tariffs: list[JsonObject]) -> str:
    """As the table has it; the status refers to just that."""
    site = site_of(location, Tariffs(tariffs), PUBLISHER)
    status = site_status(location, Tariffs(tariffs))
    assert site is not None and status is not None
    station = status["energyInfrastructureStationStatus"][0]
    points = [one["aegiElectricChargingPointStatus"] for one in station["refillPointStatus"]]
    of_status = {one["reference"]["versionG"] for one in (status, station, *points)}
    assert of_status == {site["versionG"]}
    in_table = {
        one["aegiElectricChargingPoint"]["idG"]
        for one in site["energyInfrastructureStation"][0]["refillPoint"]
    }
    removed = [one["reference"]["idG"] for one in points if one["status"]["value"] == "removed"]
    assert {one["reference"]["idG"] for one in points} == {*in_table, *removed}
    return str(site["versionG"])


def test_a_status_is_no_other_version_of_the_site() -> None:
    before, tariffs = complete_location(), complete_tariffs()
    after = deepcopy(before)
    after["last_updated"] = after["evses"][0]["last_updated"] = LATER
    after["evses"][0]["connectors"][0]["last_updated"] = LATER
    after["evses"][0]["status"] = "AVAILABLE"
    del after["evses"][0]["status_schedule"]
    assert version(after, tariffs) == version(before, tariffs)


@pytest.mark.parametrize("changed", ["name", "power", "price", "removed"])
def test_what_the_table_says_is(changed: str) -> None:
    before, tariffs = complete_location(), complete_tariffs()
    after, other = deepcopy(before), deepcopy(tariffs)
    if changed == "name":
        after["name"] = "Bakery"
    elif changed == "power":
        after["evses"][0]["connectors"][0]["max_amperage"] = 16
    elif changed == "price":
        other[0]["elements"][2]["price_components"][0]["price"] = 0.3
    else:
        after["evses"][1]["status"] = "REMOVED"
    assert version(after, other) != version(before, tariffs)


def test_a_tariff_that_nobody_can_pay_there_is_none_of_it() -> None:
    location, tariffs = complete_location(), complete_tariffs()
    assert version(location, tariffs[:2]) == version(location, tariffs)


def test_of_which_nothing_is_left_is_in_the_status_alone() -> None:
    location = complete_location()
    for evse in location["evses"]:
        evse["status"] = "REMOVED"
    assert site_of(location, Tariffs(()), PUBLISHER) is None
    status = site_status(location, Tariffs(()))
    assert status is not None
    station = status["energyInfrastructureStationStatus"][0]
    assert len(station["refillPointStatus"]) == 4 and not station["isAvailable"]
    assert site_status({**location, "evses": []}, Tariffs(())) is None
