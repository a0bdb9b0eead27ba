"""The cards that a charging station knows itself."""

from __future__ import annotations

from functools import partial

from pydantic import Field

from cpo_app.actions.action import Action
from cpo_app.actions.house import House
from cpo_app.actions.ocpp_asking import OfStation, about, said_by, station_of
from cpo_app.actions.readings import party_key
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.ocpp import local_lists
from domain.ocpp.local_lists import ListNotSent
from domain.operators.actor import Role


class Listing(OfStation):
    party: str | None = Field(None, max_length=6, title="Cards of that party (NL/TNM) alone")
    none: bool = Field(False, title="None: take all cards off it")


async def _send(house: House, given: Listing) -> JsonObject:
    station, _ = await station_of(house, given.cp_id)
    party = party_key(given.party) if given.party else None
    ask = partial(said_by, house, station)
    if given.none:
        await local_lists.empty(house.store, station["_id"], ask)
        sent: JsonObject = {"cards": 0}
    else:
        found = await local_lists.send(house.store, station["_id"], ask, party=party)
        sent = {"cards": found["cards"], "version": found["version"], "party": given.party}

    async def work(tx: Tx) -> None:
        await audit.record(tx, "ocpp.local_list", audit.charge_point(given.cp_id), after=sent)

    await house.store.transact(work)
    return {"cp_id": given.cp_id, **sent, "outcome": "none" if given.none else "sent"}


LOCAL_LIST = Action(
    name="ocpp.local_list",
    title="Give it a list of cards",
    meaning="The station lets these cards charge by itself, also while it is offline: RFID cards "
    "that are valid and charge unasked. The list is kept up to date.",
    done={
        "sent": "Sent: it lets these cards charge by itself.",
        "none": "Sent: it knows no card itself any more.",
    },
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/local-list",
    parameters=Listing,
    run=_send,
    about=about,
    refusals={ListNotSent: 424},
)
ACTIONS = (LOCAL_LIST,)
