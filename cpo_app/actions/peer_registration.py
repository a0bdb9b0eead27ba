"""How a peer comes and goes: invited, connected, approved, its tokens exchanged, parted with."""

from __future__ import annotations

from cpo_app.actions.action import Action, Refused
from cpo_app.actions.house import House
from cpo_app.actions.peer_facts import REFUSALS, about_peer, facts
from cpo_app.actions.peer_letter import letter_to
from cpo_app.actions.peer_parameters import (
    AddingAccessPoint,
    Connecting,
    Granting,
    Inviting,
    OnePeer,
    Pulling,
)
from cpo_app.outgoing.url_guard import UrlRefused, check_url
from db_interface.json_data import JsonObject
from domain.audit.entries import About
from domain.operators.actor import Role
from domain.peers import claims, required_modules, switches
from domain.peers.by_letter import add_access_point
from domain.peers.required_modules import modules_of_words
from domain.peers.terms import Terms, terms_of_words


def _none(given: Granting) -> tuple[About, ...]:
    """It has no id yet; the entry of the domain names it."""
    return ()


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
        "letter": letter_to(house.settings, peer.document, token),
        "notes": notes,
    }


async def _connect(house: House, given: Connecting) -> JsonObject:
    connect = house.joining.connect
    terms = _terms(given)
    modules = modules_of_words(given.modules)
    notes = await house.finish_calls()
    peer = await connect(
        given.versions_url, given.token, given.name, given.raw_token, terms, modules
    )
    return {**facts(peer), "notes": notes}


async def _add_access_point(house: House, given: AddingAccessPoint) -> JsonObject:
    receivers = {"locations": given.locations_url}
    if given.tariffs_url:
        receivers["tariffs"] = given.tariffs_url
    for url in receivers.values():
        try:
            check_url(url, allow_private=house.settings.CPO_ALLOW_PRIVATE_URLS)
        except UrlRefused as error:
            raise Refused(422, f"{url}: {error}") from None
    country_code, _, party_id = given.party.partition("/")
    peer, token = await add_access_point(
        house.peers,
        given.name,
        (country_code.upper(), party_id.upper()),
        receivers,
        given.token,
        raw_token=given.raw_token,
    )
    here = f"{house.settings.base_url}/{house.settings.OCPI_PREFIX}/cpo/{peer.version}"
    return {
        "peer_id": peer.peer_id,
        "token": token,
        "locations_url": f"{here}/locations",
        "tariffs_url": f"{here}/tariffs",
    }


async def _withdraw(house: House, given: OnePeer) -> JsonObject:
    await switches.withdraw(house.store, given.peer_id)
    return {"peer_id": given.peer_id}


async def _remove(house: House, given: OnePeer) -> JsonObject:
    told = await house.joining.unregister(given.peer_id)
    return {"peer_id": given.peer_id, "told": told, "outcome": "told" if told else "not told"}


async def _refresh(house: House, given: OnePeer) -> JsonObject:
    return facts(await house.renewal.refresh(given.peer_id))


async def _rotate(house: House, given: OnePeer) -> JsonObject:
    return facts(await house.renewal.rotate(given.peer_id))


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


INVITE = Action(
    name="peers.invite",
    title="Invite",
    meaning="Makes a token A to hand over with our versions URL. It is shown once. A party or role "
    "that is not named here waits for your yes.",
    done="Invited.",
    shows="token",
    needs=Role.ADMIN,
    path="/peers",
    parameters=Inviting,
    run=_invite,
    about=_none,
    refusals=REFUSALS,
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
    refusals=REFUSALS,
)
ADD_ACCESS_POINT = Action(
    name="peers.add_access_point",
    title="Add a national access point",
    meaning="Adds a national access point that takes no part in OCPI's credentials module: what it "
    "gave us by letter is entered here, and the token that it reads with is shown once.",
    done="Added: published locations and tariffs are pushed to it from now on.",
    shows="token",
    needs=Role.ADMIN,
    path="/peers/access-points",
    parameters=AddingAccessPoint,
    run=_add_access_point,
    about=lambda _: (),
    refusals=REFUSALS,
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
    about=about_peer,
    refusals=REFUSALS,
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
    about=about_peer,
    refusals=REFUSALS,
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
    about=about_peer,
    refusals=REFUSALS,
    danger=True,
)
REFRESH = Action(
    name="peers.refresh",
    title="Read its endpoints again",
    meaning="Reads the peer's versions and endpoints again, and moves it to the highest OCPI "
    "version that both sides have.",
    done="Read again: its version and endpoints are those of now.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/refresh",
    parameters=OnePeer,
    run=_refresh,
    about=about_peer,
    refusals=REFUSALS,
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
    about=about_peer,
    refusals=REFUSALS,
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
    about=about_peer,
    refusals=REFUSALS,
)
ACTIONS = (
    INVITE,
    CONNECT,
    ADD_ACCESS_POINT,
    APPROVE,
    WITHDRAW,
    REMOVE,
    REFRESH,
    ROTATE,
    PULL_TOKENS,
)
