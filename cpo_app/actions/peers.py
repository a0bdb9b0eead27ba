"""What is done to peers: who they may be, whether they are served, how they differ."""

from __future__ import annotations

from collections.abc import Sequence

from cpo_app.actions.action import Action, Refused
from cpo_app.actions.house import House
from cpo_app.actions.peer_parameters import (
    Clients,
    Connecting,
    GivingGroups,
    Granting,
    Inviting,
    Moving,
    OneParty,
    OnePeer,
    Pulling,
    Quirk,
    Releasing,
    Requiring,
    RequiringModules,
    Resyncing,
    Switching,
)
from cpo_app.actions.readings import party_key
from db_interface.json_data import JsonObject
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.authorization.token_pulls import PullUnderWay
from domain.errors import InvalidParameters, OcpiError
from domain.objects.location_fields import PROFILES
from domain.operators.actor import Role
from domain.outbox.marks import PUSHED
from domain.peers import claims, client_switches, parties, required_modules, switches
from domain.peers.claims import NoClaim, PartyTaken
from domain.peers.location_groups import give
from domain.peers.peers import Peer, UnknownPeer
from domain.peers.required_modules import modules_of_words, require_modules
from domain.peers.requirements import require
from domain.peers.switches import NotPossible
from domain.peers.terms import BadTerms, Terms, terms_of_words
from domain.secrets import SecretUnusable

_REFUSALS: dict[type[Exception], int] = {
    UnknownPeer: 404,
    NotPossible: 409,
    NoClaim: 409,
    PartyTaken: 409,
    PullUnderWay: 409,
    SecretUnusable: 409,
    BadTerms: 422,
    InvalidParameters: 409,
    OcpiError: 424,
}
_ALL = "all"
ON_OFF = {True: "on", False: "off"}


def facts(peer: Peer) -> JsonObject:
    """What may be shown of a peer."""
    return {
        "peer_id": peer.peer_id,
        "name": peer.name,
        "status": peer.status,
        "parties": [
            f"{role['country_code']}/{role['party_id']} {role['role']}" for role in peer.roles
        ],
        "waiting": [
            f"{role['country_code']}/{role['party_id']} {role['role']}" for role in peer.waiting
        ],
        "versions_url": peer.versions_url,
        "version": peer.version,
        "endpoints": [dict(row) for row in peer.endpoints],
        "quirks": dict(peer.quirks),
        "settings": dict(peer.settings),
        "created": peer.created,
        "last_seen": peer.last_seen,
        "last_error": peer.last_error,
    }


def _one(given: OnePeer) -> tuple[About, ...]:
    return (audit.peer(given.peer_id),)


def _none(given: Granting) -> tuple[About, ...]:
    """It has no id yet; the entry of the domain names it."""
    return ()


def _party(given: OneParty) -> tuple[About, ...]:
    return (audit.party(given.party),)


def _terms(given: Granting) -> Terms:
    return terms_of_words(given.parties, given.roles, hub=given.hub, any_party=given.any_party)


async def _invite(house: House, given: Inviting) -> JsonObject:
    terms, notes = _terms(given), []
    for named in terms.parties:
        claim = await claims.of(house.store.db, named)
        if claim is not None and claim["peer_id"] is not None:
            notes.append(
                f"{claims.shown(named)} is held by {claim['peer_id']}: release it "
                "(cpo peers release-party), or move it to this peer (cpo peers move-party)"
            )
    quirks = {"raw_token": True} if given.raw_token else None
    now = house.store.db.now()
    settings = {required_modules.SETTING: modules_of_words(given.modules)}
    peer, token = await house.peers.invite(given.name, now, terms, quirks=quirks, settings=settings)
    return {
        "peer_id": peer.peer_id,
        "token": token,
        "versions_url": house.settings.versions_url,
        "notes": notes,
    }


async def _connect(house: House, given: Connecting) -> JsonObject:
    connect = house.registration.connect
    terms = _terms(given)
    modules = modules_of_words(given.modules)
    notes = await house.finish_calls()
    peer = await connect(
        given.versions_url, given.token, given.name, given.raw_token, terms, modules
    )
    return {**facts(peer), "notes": notes}


async def _withdraw(house: House, given: OnePeer) -> JsonObject:
    await switches.withdraw(house.store, given.peer_id)
    return {"peer_id": given.peer_id}


async def _remove(house: House, given: OnePeer) -> JsonObject:
    told = await house.registration.unregister(given.peer_id)
    return {"peer_id": given.peer_id, "told": told, "outcome": "told" if told else "not told"}


async def _refresh(house: House, given: OnePeer) -> JsonObject:
    return facts(await house.registration.refresh(given.peer_id))


async def _rotate(house: House, given: OnePeer) -> JsonObject:
    return facts(await house.registration.rotate(given.peer_id))


async def _pull_tokens(house: House, given: Pulling) -> JsonObject:
    done = await house.pull_tokens(given.peer_id, given.full)
    return {
        "peer_id": given.peer_id,
        "complete": done.complete,
        "date_from": done.date_from,
        "resumed": done.resumed,
        "counts": dict(done.counts),
        "problem": done.problem,
        "outcome": "complete" if done.complete else "broken off",
    }


async def _approve(house: House, given: OnePeer) -> JsonObject:
    number = await switches.approve(house.store, given.peer_id)
    return {"peer_id": given.peer_id, "approved": number}


async def _suspend(house: House, given: OnePeer) -> JsonObject:
    return _marked(given, await switches.suspend(house.store, given.peer_id))


async def _resume(house: House, given: OnePeer) -> JsonObject:
    return _marked(given, await switches.resume(house.store, given.peer_id))


async def _block(house: House, given: OnePeer) -> JsonObject:
    return _marked(given, await switches.block(house.store, given.peer_id))


async def _narrow(house: House, given: OnePeer) -> JsonObject:
    return _marked(given, await switches.narrow(house.store, given.peer_id))


async def _widen(house: House, given: OnePeer) -> JsonObject:
    return _marked(given, await switches.widen(house.store, given.peer_id))


async def _resync(house: House, given: Resyncing) -> JsonObject:
    modules = (given.module,) if given.module else PUSHED
    return _marked(given, await switches.resync(house.store, given.peer_id, modules))


async def _require(house: House, given: Requiring) -> JsonObject:
    if given.profile and given.profile not in PROFILES:
        raise Refused(422, f"{given.profile} is not a profile; there are: {', '.join(PROFILES)}")
    wanted = [*given.fields_, *PROFILES.get(given.profile or "", ())]
    return _marked(given, await require(house.store, given.peer_id, wanted))


async def _require_modules(house: House, given: RequiringModules) -> JsonObject:
    modules = modules_of_words(given.modules)
    lacking = await require_modules(house.store, given.peer_id, modules)
    return {
        "peer_id": given.peer_id,
        "modules": modules,
        "lacking": lacking,
        "outcome": "lacking" if lacking else "offered",
    }


async def _give_groups(house: House, given: GivingGroups) -> JsonObject:
    groups = None if given.groups in ([], [_ALL]) else given.groups
    return _marked(given, await give(house.store, given.peer_id, groups))


async def _ask_unknown(house: House, given: Switching) -> JsonObject:
    await switches.ask_unknown(house.store, given.peer_id, on=given.on)
    return {"peer_id": given.peer_id, "ask_unknown": given.on, "outcome": ON_OFF[given.on]}


async def _quirk(house: House, given: Quirk) -> JsonObject:
    await switches.set_quirk(house.store, given.peer_id, given.name, given.value)
    return facts(await house.peers.get(given.peer_id))


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
    if _ALL in given.parties:
        number = await client_switches.decide_all(house.store, given.peer_id, approved=approved)
    else:
        decide = client_switches.approve if approved else client_switches.refuse
        number = await decide(house.store, given.peer_id, _pairs(given.parties))
    return _marked(given, number)


async def _clients_automatic(house: House, given: Switching) -> JsonObject:
    number = await client_switches.approve_as_told(house.store, given.peer_id, on=given.on)
    return {**_marked(given, number), "outcome": ON_OFF[given.on]}


def _marked(given: OnePeer, number: int) -> JsonObject:
    return {"peer_id": given.peer_id, "marked": number}


def _pairs(named: Sequence[str]) -> list[tuple[str, str]]:
    keys = [party_key(text).upper().partition("*") for text in named]
    return [(country_code, party_id) for country_code, _, party_id in keys]


INVITE = Action(
    name="peers.invite",
    title="Invite",
    meaning="Makes a token A to hand over with our versions URL. It is shown once. A party or role "
    "that is not named here waits for your yes.",
    done="Invited.",
    needs=Role.ADMIN,
    path="/peers",
    parameters=Inviting,
    run=_invite,
    about=_none,
    refusals=_REFUSALS,
)
CONNECT = Action(
    name="peers.connect",
    title="Register with a platform",
    meaning="Registers with a platform that invited us. A party or role of it that is not named "
    "here waits for your yes.",
    done="Connected.",
    needs=Role.ADMIN,
    path="/peers/connect",
    parameters=Connecting,
    run=_connect,
    about=_none,
    refusals=_REFUSALS,
)
APPROVE = Action(
    name="peers.approve",
    title="Approve",
    meaning="Says yes to the parties and roles of the peer that wait: it may be them from now on. "
    "Until then it sees public objects only.",
    done="Approved: the peer is from now on who it says it is.",
    needs=Role.ADMIN,
    path="/peers/{peer_id}/approve",
    parameters=OnePeer,
    run=_approve,
    about=_one,
    refusals=_REFUSALS,
)
WITHDRAW = Action(
    name="peers.withdraw",
    title="Withdraw the invitation",
    meaning="Its token is good for nothing at once, and the peer is forgotten.",
    done="Withdrawn: the invitation's token is good for nothing.",
    needs=Role.ADMIN,
    path="/peers/{peer_id}/withdraw",
    parameters=OnePeer,
    run=_withdraw,
    about=_one,
    refusals=_REFUSALS,
    danger=True,
)
REMOVE = Action(
    name="peers.remove",
    title="Part with it",
    meaning="Tells it (DELETE credentials), as far as it listens, and forgets it. Its token dies "
    "at once, its parties are free.",
    done={
        "told": "removed; it was told.",
        "not told": "removed; it could not be told.",
    },
    needs=Role.ADMIN,
    path="/peers/{peer_id}/remove",
    parameters=OnePeer,
    run=_remove,
    about=_one,
    refusals=_REFUSALS,
    danger=True,
)
REFRESH = Action(
    name="peers.refresh",
    title="Read its endpoints again",
    meaning="Reads the peer's versions and endpoints again.",
    done="Read again: its endpoints are those of now.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/refresh",
    parameters=OnePeer,
    run=_refresh,
    about=_one,
    refusals=_REFUSALS,
)
ROTATE = Action(
    name="peers.rotate",
    title="Exchange the tokens",
    meaning="Exchanges the tokens in both directions; nobody is locked out if it goes wrong.",
    done="Exchanged: both sides have new tokens.",
    needs=Role.ADMIN,
    path="/peers/{peer_id}/rotate",
    parameters=OnePeer,
    run=_rotate,
    about=_one,
    refusals=_REFUSALS,
)
PULL_TOKENS = Action(
    name="peers.pull_tokens",
    title="Fetch its tokens",
    meaning="Fetches the peer's tokens now: what changed, or all of them.",
    done={
        "complete": "Fetched: its tokens are those of now.",
        "broken off": "Broken off: the last error says why.",
    },
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/pull-tokens",
    parameters=Pulling,
    run=_pull_tokens,
    about=_one,
    refusals=_REFUSALS,
)
SUSPEND = Action(
    name="peers.suspend",
    title="Suspend",
    meaning="Nothing is pushed to it; its own requests are still answered.",
    done="Suspended: nothing is pushed to this peer until you resume it.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/suspend",
    parameters=OnePeer,
    run=_suspend,
    about=_one,
    refusals=_REFUSALS,
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
    about=_one,
    refusals=_REFUSALS,
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
    about=_one,
    refusals=_REFUSALS,
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
    about=_one,
    refusals=_REFUSALS,
)
NARROW = Action(
    name="peers.narrow",
    title="Narrow",
    meaning="It sees published locations only; the unpublished ones that it has are taken away "
    "(EVSEs REMOVED).",
    done="Narrowed: unpublished locations are taken away from this peer.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/narrow",
    parameters=OnePeer,
    run=_narrow,
    about=_one,
    refusals=_REFUSALS,
)
WIDEN = Action(
    name="peers.widen",
    title="Widen",
    meaning="It sees unpublished locations, too, with their flags, and is sent them.",
    done="Widened: unpublished locations are sent to this peer, too.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/widen",
    parameters=OnePeer,
    run=_widen,
    about=_one,
    refusals=_REFUSALS,
)
REQUIRE = Action(
    name="peers.require",
    title="Required fields",
    meaning="Locations that lack one of these are not offered to it; what it has of them is taken "
    "away. The specification requires none.",
    done="What it is not offered any more is taken away, the rest is sent.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/require",
    parameters=Requiring,
    run=_require,
    about=_one,
    refusals=_REFUSALS,
)
REQUIRE_MODULES = Action(
    name="peers.require_modules",
    title="Required modules",
    meaning="A registration that does not offer these is refused (3003). One that is connected "
    "already stays so. The specification requires credentials alone.",
    done={
        "offered": "Its next handshake needs these modules.",
        "lacking": "Its next handshake needs these modules. It does not offer all of them now, and "
        "stays connected.",
    },
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/require-modules",
    parameters=RequiringModules,
    run=_require_modules,
    about=_one,
    refusals=_REFUSALS,
)
GIVE_GROUPS = Action(
    name="peers.give_groups",
    title="Location groups",
    meaning="It is offered the locations of these groups alone; what it has of the others is taken "
    "away. Tariffs go to it all the same, and sessions and CDRs of its drivers wherever they "
    "charge.",
    done="What it is not given any more is taken away, the rest is sent.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/groups",
    parameters=GivingGroups,
    run=_give_groups,
    about=_one,
    refusals=_REFUSALS,
)
ASK_UNKNOWN = Action(
    name="peers.ask_unknown",
    title="Ask about unknown cards",
    meaning="Whether it is shown cards that no eMSP has told us of, to say whose they are.",
    done={
        "on": "It is asked about cards that no eMSP has told us of.",
        "off": "It is not asked about unknown cards.",
    },
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/ask-unknown",
    parameters=Switching,
    run=_ask_unknown,
    about=_one,
    refusals=_REFUSALS,
)
QUIRK = Action(
    name="peers.quirk",
    title="Note a quirk",
    meaning="Notes how the peer differs from the specification; for it alone we do otherwise.",
    done="Noted.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/quirk",
    parameters=Quirk,
    run=_quirk,
    about=_one,
    refusals=_REFUSALS,
)
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
    refusals=_REFUSALS,
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
    refusals=_REFUSALS,
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
    about=_one,
    refusals=_REFUSALS,
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
    about=_one,
    refusals=_REFUSALS,
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
    about=_one,
    refusals=_REFUSALS,
)
ACTIONS = (
    *(INVITE, CONNECT, APPROVE, WITHDRAW, REMOVE),
    *(REFRESH, ROTATE, PULL_TOKENS, RESYNC),
    *(SUSPEND, RESUME, BLOCK, NARROW, WIDEN),
    *(REQUIRE, REQUIRE_MODULES, GIVE_GROUPS, ASK_UNKNOWN, QUIRK),
    *(RELEASE_PARTY, MOVE_PARTY, APPROVE_CLIENTS, REFUSE_CLIENTS, CLIENTS_AUTOMATIC),
)
