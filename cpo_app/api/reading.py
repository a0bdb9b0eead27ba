"""What can be read: the console's read models, page by page, for every role.

Of drivers' cards the last characters are shown; tokens, keys and hashes never are. People and keys
are shown to admins alone, exchanges with peers to operators.
"""

from __future__ import annotations

from fastapi import APIRouter

from cpo_app.actions.house import House
from cpo_app.api.read_charge_points import add_charge_points
from cpo_app.api.read_charging import add_charging
from cpo_app.api.read_exchanges import add_exchanges
from cpo_app.api.read_objects import add_objects
from cpo_app.api.read_payments import add_payments
from cpo_app.api.read_peers import add_peers
from cpo_app.api.read_people import add_people
from cpo_app.api.read_platform import add_platform
from cpo_app.api.read_search import add_search


def add_reading(router: APIRouter, house: House) -> None:
    add_charge_points(router, house)
    add_charging(router, house)
    add_objects(router, house)
    add_peers(router, house)
    add_payments(router, house)
    add_exchanges(router, house)
    add_people(router, house)
    add_platform(router, house)
    add_search(router, house)
