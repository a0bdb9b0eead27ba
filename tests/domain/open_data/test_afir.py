"""Which field of the law's list a charge point lacks, and which metadata key gives it."""

from __future__ import annotations

from typing import Any

import pytest

from domain.open_data.afir import REQUIREMENTS, evses_of, missing_at
from domain.open_data.completeness import Completeness, Incomplete, completeness
from domain.sites.public import PUBLISHED
from tests.domain.open_data.test_kept_document import World, world
from tests.domain.schemas.samples import connector, evse, location

__all__ = ["world"]

AD_HOC = {"adhoc"}
WHOLE_EVSE: dict[str, Any] = {
    "evse_id": "NL*EVC*E1",
    "parking": [{"parking_id": "P1"}],
    "connectors": [connector(max_electric_power=22000, tariff_ids=["AdHoc", "CARD"])],
}
WHOLE: dict[str, Any] = {
    "owner": {"name": "Owner"},
    "operator": {"name": "Operator"},
    "help_phone": "+31201234567",
    "opening_times": {"twentyfourseven": True},
    "energy_mix": {"is_green_energy": True},
    "parking_places": [
        {
            "id": "p1",
            "vehicle_types": ["PERSONAL_VEHICLE", "DISABLED"],
            "restricted_to_type": False,
            "reservation_required": False,
        }
    ],
}


def missing(
    location_changes: dict[str, Any] | None = None, evse_changes: dict[str, Any] | None = None
) -> set[str]:
    whole = location(
        **{**WHOLE, "evses": [evse(**{**WHOLE_EVSE, **(evse_changes or {})})]}
        | (location_changes or {})
    )
    (place,) = evses_of(whole, AD_HOC)
    return {one.name for one in missing_at(place)}


def test_one_that_says_everything_lacks_nothing() -> None:
    assert missing() == set()


@pytest.mark.parametrize(
    ("location_changes", "evse_changes", "lacks"),
    [
        ({"owner": None}, {}, {"owner"}),
        ({"operator": {"name": ""}}, {}, {"operator"}),
        ({"help_phone": None}, {}, {"contact"}),
        ({"help_phone": None, "owner": {"name": "O", "website": "https://o.example"}}, {}, set()),
        ({"opening_times": None}, {}, {"opening_times"}),
        ({"energy_mix": None}, {}, {"green_energy"}),
        ({"energy_mix": {"is_green_energy": False}}, {}, set()),
        ({"parking_places": []}, {}, {"parking_for_disabled", "vehicle_types"}),
        ({}, {"parking": [], "parking_restrictions": ["DISABLED"]}, {"vehicle_types"}),
        ({}, {"evse_id": None}, {"evse_id"}),
        ({}, {"status": "UNKNOWN"}, {"status"}),
        ({}, {"connectors": [connector()]}, {"max_electric_power", "ad_hoc_price"}),
        (
            {},
            {"connectors": [connector(max_electric_power=1, tariff_ids=["CARD"])]},
            {"ad_hoc_price"},
        ),
    ],
)
def test_what_is_missing_is_named(
    location_changes: dict[str, Any], evse_changes: dict[str, Any], lacks: set[str]
) -> None:
    assert missing(location_changes, evse_changes) == lacks


def test_every_key_that_mends_is_one_that_becomes_a_field() -> None:
    keys = {one.mend for one in REQUIREMENTS if not one.mend.startswith("(")}
    assert keys <= PUBLISHED


def test_the_published_ones_are_counted_and_the_others_are_not(world: World) -> None:
    world.publish_tariff("AdHoc", type="AD_HOC_PAYMENT")
    gone = evse(uid="GONE", status="REMOVED")
    world.publish_location("WHOLE", **WHOLE, evses=[evse(**WHOLE_EVSE), gone])
    poor = evse(**{**WHOLE_EVSE, "uid": "Evse-2", "parking": []})
    world.publish_location("POOR", **{**WHOLE, "owner": None}, evses=[poor])
    world.publish_location("PRIVATE", private=True, evses=[evse()])

    async def found(limit: int | None = None) -> Completeness:
        return await completeness(world.store, ["nl*evc"], limit)

    names = ["owner", "parking_for_disabled", "vehicle_types"]
    report = world.loop.run(found())
    assert (report.of, report.complete) == (2, 1)
    assert report.lacking == dict.fromkeys(names, 1)
    assert report.items == [Incomplete("POOR", "Evse-2", names, ["owner", "parking"])]
    assert world.loop.run(found(0)).items == []
