"""Which EVSE it is to be where a command leaves it to us ("can itself decide", mod_commands). Pure.

`tried`: charge points that have said no to this command already.
"""

from __future__ import annotations

from collections.abc import Sequence

from db_interface.json_data import JsonObject
from domain.commands.command_intake import result_body
from domain.commands.command_targets import OUT_OF_USE, Place
from domain.objects import OcpiObject
from domain.reservations.reservations import Reservation

REMOTE_START = "REMOTE_START_STOP_CAPABLE"
RESERVABLE = "RESERVABLE"


def choose_for_start(
    places: Sequence[Place], token: OcpiObject, tried: Sequence[str]
) -> Place | None:
    """The EVSE to start at where any will do: the one reserved for the driver, else a free one,
    else one where a car waits, else one of which nothing is known."""
    order = ("AVAILABLE", "BLOCKED", "RESERVED", "UNKNOWN")

    def rank(place: Place) -> int:
        return -1 if place.reservation is not None else order.index(place.status)

    free = [
        place
        for place in places
        if place.cp_id not in tried
        and place.can(REMOTE_START)
        and not place.held_against(token)
        and place.status in order
    ]
    return min(free, key=rank, default=None)


def choose_for_reservation(
    places: Sequence[Place],
    before: Reservation | None,
    tried: Sequence[str],
) -> Place | None:
    """The EVSE to hold where any will do: the one that `before`, the reservation
    of the same id, holds already, else a free one."""
    order = ("AVAILABLE", "UNKNOWN")
    held = before["cp_id"] if before is not None else None
    for place in places:
        if held is not None and place.cp_id == held and held not in tried:
            return place
    free = [
        place
        for place in places
        if place.cp_id not in tried
        and place.can(RESERVABLE)
        and place.reservation is None
        and place.status in order
    ]
    return min(free, key=lambda place: order.index(place.status), default=None)


def none_free(places: Sequence[Place]) -> JsonObject:
    """Why no EVSE will do, as a CommandResult."""
    if all(place.status in OUT_OF_USE for place in places):
        return result_body("EVSE_INOPERATIVE")
    return result_body("EVSE_OCCUPIED")
