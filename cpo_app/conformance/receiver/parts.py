"""What only some modules have: parts of a Location, the end of a session, DELETE of a tariff."""

from __future__ import annotations

from cpo_app.conformance import sections
from cpo_app.conformance.receiver.partner import Partner
from cpo_app.conformance.receiver.sameness import difference
from cpo_app.conformance.rules import Rule, demand
from db_interface.json_data import JsonObject

_LOCATIONS = sections.RECEIVED["locations"]


def _evse(partner: Partner) -> tuple[JsonObject, str]:
    """The test Location's EVSE, and its URL. Raises Untested."""
    partner.demand_taken("locations")
    location = partner.of("locations").last
    evse: JsonObject = location["evses"][0]
    return evse, partner.url("locations", location["id"], evse["uid"])


async def _get_parts(partner: Partner) -> None:
    evse, url = _evse(partner)
    connector = evse["connectors"][0]
    for part, place in ((evse, url), (connector, f"{url}/{connector['id']}")):
        different = difference(part, await partner.object_at(place))
        demand(different is None, f"{place.rpartition('/')[2]}: {different}")


async def _put_evse(partner: Partner) -> None:
    evse, url = _evse(partner)
    new = partner.specimens.evse(evse["uid"] + "-2")
    place = f"{url}-2"
    partner.demand_success(await partner.send("PUT", place, new))
    different = difference(new, await partner.object_at(place))
    demand(different is None, str(different))
    location = partner.of("locations").last
    whole = await partner.object_at(partner.url("locations", location["id"]))
    uids = sorted(row.get("uid") for row in whole.get("evses", []))
    demand(uids == [evse["uid"], new["uid"]], f"the Location has the EVSEs {uids}")


async def _put_connector(partner: Partner) -> None:
    _, url = _evse(partner)
    new = partner.specimens.connector("2")
    partner.demand_success(await partner.send("PUT", f"{url}/2", new))
    different = difference(new, await partner.object_at(f"{url}/2"))
    demand(different is None, str(different))


async def _patch_evse(partner: Partner) -> None:
    evse, url = _evse(partner)
    patch = {"status": "OUTOFORDER", "last_updated": partner.specimens.now()}
    partner.demand_success(await partner.send("PATCH", url, patch))
    found = await partner.object_at(url)
    demand(found.get("status") == "OUTOFORDER", f"status is {found.get('status')}")
    demand(found.get("uid", "").lower() == evse["uid"].lower(), "it lost its uid")
    demand(found.get("connectors"), "it lost its connectors")


async def _remove_evse(partner: Partner) -> None:
    _, url = _evse(partner)
    patch = {"status": "REMOVED", "last_updated": partner.specimens.now()}
    partner.demand_success(await partner.send("PATCH", url, patch))
    response = await partner.look(url)
    if not partner.refuses(response):
        status = partner.data(response).get("status")
        demand(status == "REMOVED", f"status is {status}")


async def _completed(partner: Partner) -> None:
    partner.demand_taken("sessions")
    session_id = partner.of("sessions").last["id"]
    url = partner.url("sessions", session_id)
    over = partner.specimens.session(session_id, "COMPLETED")
    partner.demand_success(await partner.send("PUT", url, over))
    different = difference(over, await partner.object_at(url))
    demand(different is None, str(different))


async def _delete(partner: Partner) -> None:
    partner.demand_taken("tariffs")
    url = partner.url("tariffs", partner.of("tariffs").last["id"])
    partner.demand_success(await partner.send("DELETE", url))
    demand(not await partner.has(url), "it is there after its DELETE")


async def _delete_unknown(partner: Partner) -> None:
    url = partner.url("tariffs", partner.specimens.id_of("NOT-THERE"))
    response = await partner.send("DELETE", url)
    demand(partner.refuses(response), f"HTTP {response.status_code}, and not refused")


PARTS: tuple[Rule[Partner], ...] = (
    Rule("An EVSE and a Connector can be read alone", _LOCATIONS, _get_parts),
    Rule("PUT of a new EVSE adds it to its Location", _LOCATIONS, _put_evse),
    Rule("PUT of a new Connector adds it to its EVSE", _LOCATIONS, _put_connector),
    Rule("PATCH of an EVSE's status changes the status alone", _LOCATIONS, _patch_evse),
    Rule("An EVSE with status REMOVED is gone, or said to be", _LOCATIONS, _remove_evse),
)
END: tuple[Rule[Partner], ...] = (
    Rule("A session is completed by PUT", sections.RECEIVED["sessions"], _completed),
)
DELETION: tuple[Rule[Partner], ...] = (
    Rule("DELETE takes a tariff away", sections.RECEIVED["tariffs"], _delete),
    Rule("DELETE of an unknown tariff is refused", sections.RECEIVED["tariffs"], _delete_unknown),
)
