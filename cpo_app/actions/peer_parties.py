"""Who is which party: claims that are released and moved, and the clients of hubs."""

from __future__ import annotations

from collections.abc import Sequence

from cpo_app.actions.action import Action, Refused
from cpo_app.actions.house import House
from cpo_app.actions.peer_facts import ALL, ON_OFF, REFUSALS, about_peer, marked
from cpo_app.actions.peer_parameters import Clients, Moving, OneParty, Releasing, Switching
from cpo_app.actions.readings import party_key
from db_interface.json_data import JsonObject
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.operators.actor import Role
from domain.peers import claims, client_switches, parties


def _party(given: OneParty) -> tuple[About, ...]:
    return (audit.party(given.party),)


async def _release_party(house: House, given: Releasing) -> JsonObject:
    party = party_key(given.party)
    if given.peer_id is not None:
        claim = await claims.of(house.store.db, party)
        if claim is None or claim["peer_id"] != given.peer_id:
            raise Refused(409, f"{claims.shown(party)} is not held by {given.peer_id}")
    holder = await parties.release(house.store, party)
    return {"party": claims.shown(party), "held_by": holder}


async def _move_party(house: House, given: Moving) -> JsonObject:
    party = party_key(given.party)
    await parties.move(house.store, party, given.peer_id)
    return {"party": claims.shown(party), "peer_id": given.peer_id}


async def _approve_clients(house: House, given: Clients) -> JsonObject:
    return await _decide(house, given, approved=True)


async def _refuse_clients(house: House, given: Clients) -> JsonObject:
    return await _decide(house, given, approved=False)


async def _decide(house: House, given: Clients, *, approved: bool) -> JsonObject:
    if ALL in given.parties:
        number = await client_switches.decide_all(house.store, given.peer_id, approved=approved)
    else:
        decide = client_switches.approve if approved else client_switches.refuse
        number = await decide(house.store, given.peer_id, _pairs(given.parties))
    return marked(given, number)


async def _clients_automatic(house: House, given: Switching) -> JsonObject:
    number = await client_switches.approve_as_told(house.store, given.peer_id, on=given.on)
    return {**marked(given, number), "outcome": ON_OFF[given.on]}


def _pairs(named: Sequence[str]) -> list[tuple[str, str]]:
    keys = [party_key(text).upper().partition("*") for text in named]
    return [(country_code, party_id) for country_code, _, party_id in keys]


RELEASE_PARTY = Action(
    name="peers.release_party",
    title="Release a party",
    meaning="It is nobody's then: whoever is granted it may register it. The tokens, sessions and "
    "CDRs of until now stay the earlier holder's.",
    done="Released: the party is nobody's, and may register anew.",
    needs=Role.ADMIN,
    path="/peers/release-party",
    parameters=Releasing,
    run=_release_party,
    about=_party,
    refusals=REFUSALS,
    danger=True,
)
MOVE_PARTY = Action(
    name="peers.move_party",
    title="Move a party here",
    meaning="The peer becomes that party, with the tokens, sessions and CDRs that were ever made "
    "for it; whoever holds it loses it. What is there is not sent of itself.",
    done="Moved: the party is this peer's, with all that was ever made for it.",
    needs=Role.ADMIN,
    path="/peers/{peer_id}/move-party",
    parameters=Moving,
    run=_move_party,
    about=lambda given: (*_party(given), audit.peer(given.peer_id)),
    refusals=REFUSALS,
    danger=True,
)
APPROVE_CLIENTS = Action(
    name="peers.approve_clients",
    title="Approve clients",
    meaning="The hub speaks for these of its clients: what is for them goes through it.",
    done="Approved: what is for this client goes through the hub.",
    needs=Role.ADMIN,
    path="/peers/{peer_id}/approve-clients",
    parameters=Clients,
    run=_approve_clients,
    about=about_peer,
    refusals=REFUSALS,
)
REFUSE_CLIENTS = Action(
    name="peers.refuse_clients",
    title="Refuse clients",
    meaning="The hub does not speak for these of its clients: nothing of theirs goes through it.",
    done="Refused: nothing of this client is the hub's.",
    needs=Role.ADMIN,
    path="/peers/{peer_id}/refuse-clients",
    parameters=Clients,
    run=_refuse_clients,
    about=about_peer,
    refusals=REFUSALS,
)
CLIENTS_AUTOMATIC = Action(
    name="peers.clients_automatic",
    title="Approve whoever it names",
    meaning="Whether the hub's word is enough for clients that you have not decided upon.",
    done={
        "on": "Whoever this hub names is its client, unless you refuse him.",
        "off": "Each client of this hub waits for your yes.",
    },
    needs=Role.ADMIN,
    path="/peers/{peer_id}/clients-automatic",
    parameters=Switching,
    run=_clients_automatic,
    about=about_peer,
    refusals=REFUSALS,
)
ACTIONS = (RELEASE_PARTY, MOVE_PARTY, APPROVE_CLIENTS, REFUSE_CLIENTS, CLIENTS_AUTOMATIC)
