"""Whether a peer is served, and that it is sent once more what it may see."""

from __future__ import annotations

from cpo_app.actions.action import Action, Refused
from cpo_app.actions.house import House
from cpo_app.actions.peer_facts import REFUSALS, about_peer, marked
from cpo_app.actions.peer_parameters import OnePeer, Resyncing
from db_interface.json_data import JsonObject
from domain.operators.actor import Role
from domain.outbox.marks import PUSHED
from domain.peers import switches


async def _suspend(house: House, given: OnePeer) -> JsonObject:
    return marked(given, await switches.suspend(house.store, given.peer_id))


async def _resume(house: House, given: OnePeer) -> JsonObject:
    return marked(given, await switches.resume(house.store, given.peer_id))


async def _block(house: House, given: OnePeer) -> JsonObject:
    return marked(given, await switches.block(house.store, given.peer_id))


async def _resync(house: House, given: Resyncing) -> JsonObject:
    if given.object_id:
        if not given.module:
            raise Refused(422, "module: is needed to say which object is meant")
        one = await switches.resync_one(house.store, given.peer_id, given.module, given.object_id)
        return marked(given, one)
    modules = (given.module,) if given.module else PUSHED
    return marked(given, await switches.resync(house.store, given.peer_id, modules))


SUSPEND = Action(
    name="peers.suspend",
    title="Suspend",
    meaning="Nothing is pushed to it; its own requests are still answered.",
    done="Suspended: nothing is pushed to this peer until you resume it.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/suspend",
    parameters=OnePeer,
    run=_suspend,
    about=about_peer,
    refusals=REFUSALS,
)
RESUME = Action(
    name="peers.resume",
    title="Resume",
    meaning="Takes a suspended or blocked peer back into service; it gets what it has missed.",
    done="Resumed.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/resume",
    parameters=OnePeer,
    run=_resume,
    about=about_peer,
    refusals=REFUSALS,
)
BLOCK = Action(
    name="peers.block",
    title="Block",
    meaning="Its requests are refused (401) and nothing is pushed.",
    done="Blocked: its requests are refused.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/block",
    parameters=OnePeer,
    run=_block,
    about=about_peer,
    refusals=REFUSALS,
    danger=True,
)
RESYNC = Action(
    name="peers.resync",
    title="Send everything again",
    meaning="Pushes everything that the peer may see once more, whatever it has had already. CDRs "
    "that it has provably had are not sent again; with the module cdrs alone those are, whose "
    "arrival is unclear: ask the peer first, it must not get them twice.",
    done="Everything this peer may see is marked and will be pushed again.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/resync",
    parameters=Resyncing,
    run=_resync,
    about=about_peer,
    refusals=REFUSALS,
)
ACTIONS = (SUSPEND, RESUME, BLOCK, RESYNC)
