"""What opens to a peer (again) claims to be new, though nothing of it has changed.

Else a peer that was told that it is REMOVED, and ignores what is no newer than that, would keep it
so; and one that pulls by date would not be given it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import orjson
import pytest

from db_interface.database import Database
from db_interface.pages import PageQuery
from domain.outbox.marks import reader_of
from domain.peers import switches
from domain.peers.location_groups import add, give, remove
from domain.peers.requirements import require
from domain.times import parse_datetime
from domain.visibility import audiences, required
from tests.conftest import Loop
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.objects import location, private
from tests.domain.peers.test_requirements import OWNED, statuses

HERE, AWAY = "nl/evc/here", "nl/evc/away"


@pytest.fixture
def house(db: Database, loop: Loop) -> Iterator[House]:
    with contextlib.ExitStack() as stack:
        yield House(db, loop, stack)


Switch = Callable[[House, str], Any]


def only_group_up(house: House, peer_id: str) -> None:
    house.loop.run(add(house.store, "up", [HERE]))
    house.loop.run(give(house.store, peer_id, ["up"]))


def owner_required(house: House, peer_id: str) -> None:
    house.loop.run(require(house.store, peer_id, ["owner.name"]))


def withdrawn(house: House, peer_id: str) -> None:
    house.publish("locations", private(location("AWAY", publish=False)))


STORIES: dict[str, tuple[Switch, Switch]] = {
    "given all groups": (
        only_group_up,
        lambda house, peer: house.loop.run(give(house.store, peer, None)),
    ),
    "given another group": (
        only_group_up,
        lambda house, peer: (
            house.loop.run(add(house.store, "down", [AWAY])),
            house.loop.run(give(house.store, peer, ["up", "down"])),
        ),
    ),
    "put into its group": (
        only_group_up,
        lambda house, _: house.loop.run(add(house.store, "up", [AWAY])),
    ),
    "requires it no more": (
        owner_required,
        lambda house, peer: house.loop.run(require(house.store, peer, [])),
    ),
    "has what is required": (
        owner_required,
        lambda house, _: house.locations(location("AWAY", publish=False, **OWNED)),
    ),
    "widened": (
        lambda house, peer: house.loop.run(switches.narrow(house.store, peer)),
        lambda house, peer: house.loop.run(switches.widen(house.store, peer)),
    ),
    "shown again": (
        withdrawn,
        lambda house, _: house.locations(location("AWAY", publish=False)),
    ),
}
stories = pytest.mark.parametrize(("away", "back"), STORIES.values(), ids=list(STORIES))


@stories
def test_a_peer_that_ignores_older_states_has_it_again(
    house: House, away: Switch, back: Switch
) -> None:
    emsp, peer_id = house.peer(ignores_older=True)
    other, _ = house.peer("DE*GUT")
    house.push()
    house.locations(location("HERE", **OWNED), location("AWAY", publish=False))
    house.until_nothing_is_left()
    away(house, peer_id)
    house.until_nothing_is_left()
    assert statuses(emsp, "AWAY") == {"REMOVED"}
    back(house, peer_id)
    house.until_nothing_is_left()
    assert statuses(emsp, "AWAY") == {"AVAILABLE"}
    # Everybody holds what is stored, whoever it was done for.
    stored = as_stored(house, AWAY)
    assert emsp.held("locations")["AWAY"] == stored
    assert other.held("locations")["AWAY"] == stored


@stories
def test_a_peer_that_pulls_by_date_is_given_it(house: House, away: Switch, back: Switch) -> None:
    emsp = house.emsp()
    peer_id = house.connect(emsp, "DE*TNM", modules=("cdrs",))
    house.locations(location("HERE", **OWNED), location("AWAY", publish=False))
    away(house, peer_id)
    assert set(pulled(house, peer_id)) == {"HERE"}
    house.locations(location("HERE", name="The newest that it has", **OWNED))
    newest = parse_datetime(pulled(house, peer_id)["HERE"]["last_updated"])
    back(house, peer_id)
    assert "AWAY" in pulled(house, peer_id, newest)


def test_what_is_in_its_groups_already_stays_as_it_is(house: House) -> None:
    _, peer_id = house.peer()
    house.locations(location("HERE"), location("AWAY"))
    only_group_up(house, peer_id)
    before = [as_stored(house, key) for key in (HERE, AWAY)]
    house.loop.run(add(house.store, "more", [HERE]))
    house.loop.run(give(house.store, peer_id, ["up", "more"]))
    house.loop.run(remove(house.store, "more", [HERE]))
    house.loop.run(add(house.store, "other", [AWAY]))
    assert [as_stored(house, key) for key in (HERE, AWAY)] == before


def as_stored(house: House, key: str) -> Any:
    document = house.loop.run(house.store.objects("locations").document(key))
    assert document is not None
    return orjson.loads(document["raw"])


def pulled(house: House, peer_id: str, since: datetime | None = None) -> dict[str, Any]:
    """The locations that the peer's pull from then on gives it."""

    async def pull() -> dict[str, Any]:
        reader = reader_of((await house.peers.get(peer_id)).document)
        page = await house.store.get_all(
            "locations",
            PageQuery(
                audiences("locations", reader),
                100,
                date_from=since,
                required=required("locations", reader),
            ),
        )
        return {one["id"]: one for one in map(orjson.loads, page.raws)}

    return house.loop.run(pull())
