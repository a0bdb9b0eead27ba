"""Tariffs with dates and types, for peers whose version knows neither: they have what applies now,
and at the dates what applies then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from db_interface.owned_objects import OwnedObject
from domain.objects.tariff_removal import remove_tariff
from domain.objects.tariffs import owned_tariff
from domain.schemas import Tariff, format_datetime, validate
from domain.versions import VERSIONS, OcpiVersion
from domain.views.tariff_turns import OVERLAP, TariffTurns
from tests.clock import Clock
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.receiving_emsp import Receiver
from tests.cpo_app.ocpi.push.test_versions import OWNER, peer, place
from tests.domain.schemas.samples import connector, evse, tariff

BARE = [version for version in VERSIONS.values() if version.with_current_tariffs]
FULL = [version for version in VERSIONS.values() if not version.with_current_tariffs]
HOUR = timedelta(hours=1)


@pytest.fixture
def clock(house: House) -> Clock:
    house.db.clock = clock = Clock()
    return clock


def named(tariff_id: str, **fields: Any) -> OwnedObject:
    return owned_tariff(validate(Tariff, tariff(**{**OWNER, **fields, "id": tariff_id})))


def published(house: House, noon: datetime) -> None:
    """An old tariff until noon, a new one from then on, one for who pays on the spot; and a
    connector that names all three."""
    house.publish("tariffs", named("SPOT", type="AD_HOC_PAYMENT"))
    house.publish("tariffs", named("OLD", end_date_time=format_datetime(noon)))
    after = format_datetime(noon + timedelta(milliseconds=1))
    house.publish("tariffs", named("NEW", start_date_time=after))
    tariffs = connector(tariff_ids=["SPOT", "NEW", "OLD"])
    house.locations(place(evses=[evse(connectors=[tariffs])]))


def turned(house: House) -> int:
    """A look by a process that has just begun."""
    return house.loop.run(TariffTurns(house.store).round())


def tariff_of(receiver: Receiver) -> str | None:
    held: dict[str, Any] = receiver.held("locations")["LOC1"]["evses"][0]["connectors"][0]
    shown: str | None = held.get("tariff_id")
    return shown


@pytest.mark.parametrize("version", BARE, ids=lambda version: version.number)
def test_at_the_date_one_takes_the_others_place(
    house: House, clock: Clock, version: OcpiVersion
) -> None:
    receiver, _ = peer(house, version)
    published(house, clock.now() + HOUR)
    turned(house)
    house.push()
    house.until_nothing_is_left()
    assert sorted(receiver.held("tariffs")) == ["OLD", "SPOT"]
    assert tariff_of(receiver) == "OLD"

    clock.advance(HOUR.total_seconds() + 1)
    assert turned(house) == 3, "both tariffs and the location"
    house.until_nothing_is_left()
    assert sorted(receiver.held("tariffs")) == ["NEW", "SPOT"]
    assert tariff_of(receiver) == "NEW"
    looked_for = [got.path for got in receiver.of("GET", "tariffs")]
    assert "/tariffs/DE/CPO/OLD" not in looked_for, "it was sent it, and may have it"

    sent = len(receiver.got)
    clock.advance(OVERLAP.total_seconds())
    assert turned(house) == 0
    house.until_nothing_is_left()
    assert len(receiver.got) == sent


@pytest.mark.parametrize("version", BARE, ids=lambda version: version.number)
def test_a_tariff_that_is_for_others_from_now_on_is_named_no_more(
    house: House, clock: Clock, version: OcpiVersion
) -> None:
    receiver, _ = peer(house, version)
    published(house, clock.now() + HOUR)
    turned(house)
    clock.advance(1)
    house.publish("tariffs", named("OLD", type="AD_HOC_PAYMENT"))
    assert turned(house) == 1, "the location"
    assert turned(house) == 0
    house.push()
    house.until_nothing_is_left()
    assert tariff_of(receiver) is None
    clock.advance(1)
    house.publish("tariffs", named("OLD", type="REGULAR"))
    assert turned(house) == 1
    house.until_nothing_is_left()
    assert tariff_of(receiver) == "OLD"


@pytest.mark.parametrize("version", BARE, ids=lambda version: version.number)
def test_where_a_tariff_is_removed_the_next_takes_its_place(
    house: House, clock: Clock, version: OcpiVersion
) -> None:
    receiver, _ = peer(house, version)
    house.publish("tariffs", named("FIRST"))
    house.publish("tariffs", named("SECOND"))
    tariffs = connector(tariff_ids=["FIRST", "SECOND"])
    house.locations(place(evses=[evse(connectors=[tariffs])]))
    turned(house)
    house.push()
    house.until_nothing_is_left()
    assert tariff_of(receiver) == "FIRST"
    clock.advance(1)
    house.loop.run(remove_tariff(house.store, "FIRST", force=True))
    assert turned(house) == 1
    assert turned(house) == 0
    house.until_nothing_is_left()
    assert list(receiver.held("tariffs")) == ["SECOND"]
    assert tariff_of(receiver) == "SECOND"


@pytest.mark.parametrize("version", FULL, ids=lambda version: version.number)
def test_whoever_can_read_the_dates_is_told_nothing_at_them(
    house: House, clock: Clock, version: OcpiVersion
) -> None:
    receiver, _ = peer(house, version)
    published(house, clock.now() + HOUR)
    house.push()
    house.until_nothing_is_left()
    assert sorted(receiver.held("tariffs")) == ["NEW", "OLD", "SPOT"]
    sent = len(receiver.got)
    clock.advance(HOUR.total_seconds() + 1)
    assert turned(house) == 0
    house.until_nothing_is_left()
    assert len(receiver.got) == sent
