"""Taking a location back: as far as OCPI lets anybody.

No module of the text deletes a location: its EVSEs get the status REMOVED, which peers that are
pushed to and peers that pull learn alike (mod_locations, "no DELETE method"). A location can also
be hidden: then nobody is served it any more, and only peers that may have had it are told, once,
that its EVSEs are REMOVED. One without EVSEs has nothing to say it with, so it is hidden.
"""

from __future__ import annotations

from dataclasses import replace

from db_interface.owned_objects import NOBODY, plain
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.charge_points.site_publishing import sites_of_charge_points
from domain.imports.file_import import Refused
from domain.objects.locations import owned_location
from domain.outbox.publishing import publish
from domain.sites.evse import REMOVED
from domain.sites.last_updated import stamped

HIDDEN = "hidden"
GONE = "removed"
UNCHANGED = "unchanged"


async def remove_location(key: str, tx: Tx, *, hide: bool = False) -> str:
    """Take the location under the folded key back; call in a transaction.

    Returns GONE, HIDDEN or UNCHANGED (it was so already). Raises Refused for one that registered
    charge points make up, KeyError where there is none.
    """
    document = await tx.store.objects("locations").document(key, tx)
    if document is None:
        raise KeyError(key)
    location = plain(document)
    named = (location["country_code"], location["party_id"], location["id"])
    if await sites_of_charge_points([named], tx):
        raise Refused(
            f"{location['id']} is the location of registered charge points: deregister them"
        )
    hidden = hide or not location.get("evses") or document["audience"] == NOBODY
    evses = [{**evse, "status": REMOVED} for evse in location.get("evses", ())]
    taken_back = stamped({**location, "evses": evses} if evses else location, location, tx.now)
    obj = owned_location(taken_back)
    outcome = await publish(
        tx.store, "locations", replace(obj, audience=NOBODY) if hidden else obj, tx
    )
    if outcome == "unchanged":
        return UNCHANGED
    done = HIDDEN if hidden else GONE
    await audit.record(
        tx, "locations.remove", audit.location(location["id"]), after={"location": done}
    )
    return done
