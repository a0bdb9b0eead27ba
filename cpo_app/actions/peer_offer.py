"""What a peer is offered, what it needs, and how it differs from the specification."""

from __future__ import annotations

from cpo_app.actions.action import Action, Refused
from cpo_app.actions.house import House
from cpo_app.actions.peer_facts import ALL, ON_OFF, REFUSALS, about_peer, facts, marked
from cpo_app.actions.peer_parameters import (
    GivingGroups,
    OfferingVersions,
    OnePeer,
    Quirk,
    Requiring,
    RequiringModules,
    Switching,
)
from db_interface.json_data import JsonObject
from domain.objects.location_fields import PROFILES
from domain.operators.actor import Role
from domain.peers import switches
from domain.peers.location_groups import give
from domain.peers.offered_versions import offer_versions
from domain.peers.required_modules import modules_of_words, require_modules
from domain.peers.requirements import require


async def _narrow(house: House, given: OnePeer) -> JsonObject:
    return marked(given, await switches.narrow(house.store, given.peer_id))


async def _widen(house: House, given: OnePeer) -> JsonObject:
    return marked(given, await switches.widen(house.store, given.peer_id))


async def _require(house: House, given: Requiring) -> JsonObject:
    if given.profile and given.profile not in PROFILES:
        raise Refused(422, f"{given.profile} is not a profile; there are: {', '.join(PROFILES)}")
    wanted = [*given.fields_, *PROFILES.get(given.profile or "", ())]
    return marked(given, await require(house.store, given.peer_id, wanted))


async def _require_modules(house: House, given: RequiringModules) -> JsonObject:
    modules = modules_of_words(given.modules)
    lacking = await require_modules(house.store, given.peer_id, modules)
    return {
        "peer_id": given.peer_id,
        "modules": modules,
        "lacking": lacking,
        "outcome": "lacking" if lacking else "offered",
    }


async def _offer_versions(house: House, given: OfferingVersions) -> JsonObject:
    named = await offer_versions(
        house.store, given.peer_id, given.versions, lock_out=given.lock_out
    )
    return {"peer_id": given.peer_id, "versions": named}


async def _give_groups(house: House, given: GivingGroups) -> JsonObject:
    groups = None if given.groups in ([], [ALL]) else given.groups
    return marked(given, await give(house.store, given.peer_id, groups))


async def _ask_unknown(house: House, given: Switching) -> JsonObject:
    await switches.ask_unknown(house.store, given.peer_id, on=given.on)
    return {"peer_id": given.peer_id, "ask_unknown": given.on, "outcome": ON_OFF[given.on]}


async def _quirk(house: House, given: Quirk) -> JsonObject:
    await switches.set_quirk(house.store, given.peer_id, given.name, given.value)
    return facts(await house.peers.get(given.peer_id))


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
    about=about_peer,
    refusals=REFUSALS,
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
    about=about_peer,
    refusals=REFUSALS,
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
    about=about_peer,
    refusals=REFUSALS,
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
    about=about_peer,
    refusals=REFUSALS,
)
OFFER_VERSIONS = Action(
    name="peers.offer_versions",
    title="Offered versions",
    meaning="It is offered these versions of OCPI alone, and served in no other. None: whatever "
    "the platform offers. Without the one that it speaks it is locked out until it moves.",
    done="Its list of versions says so from now on.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/versions",
    parameters=OfferingVersions,
    run=_offer_versions,
    about=about_peer,
    refusals=REFUSALS,
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
    about=about_peer,
    refusals=REFUSALS,
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
    about=about_peer,
    refusals=REFUSALS,
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
    about=about_peer,
    refusals=REFUSALS,
)
ACTIONS = (
    *(NARROW, WIDEN, REQUIRE, REQUIRE_MODULES, OFFER_VERSIONS),
    *(GIVE_GROUPS, ASK_UNKNOWN, QUIRK),
)
