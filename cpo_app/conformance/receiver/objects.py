"""Locations, tariffs and sessions: the same rules for each module that takes a PUT."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from cpo_app.conformance import sections
from cpo_app.conformance.receiver.partner import UNKNOWN, Partner
from cpo_app.conformance.receiver.sameness import difference
from cpo_app.conformance.rules import Advised, Rule, demand
from db_interface.json_data import JsonObject

_SHORT = {"locations": "LOC", "tariffs": "TAR", "sessions": "SES"}


def _made(module: str, partner: Partner, suffix: str = "") -> JsonObject:
    """A new test object. What bears its id is taken back in the end, if it was ever taken."""
    object_id = partner.specimens.id_of(_SHORT[module]) + suffix
    make = {
        "locations": partner.specimens.location,
        "tariffs": partner.specimens.tariff,
        "sessions": partner.specimens.session,
    }[module]
    made = make(object_id)
    if object_id not in partner.of(module).ids:
        partner.of(module).ids.append(object_id)
    return made


async def _put(module: str, partner: Partner) -> None:
    partner.receiver(module)
    made = _made(module, partner)
    response = await partner.send("PUT", partner.url(module, made["id"]), made)
    partner.demand_success(response)
    partner.of(module).taken = True
    partner.of(module).last = made


async def _get(module: str, partner: Partner) -> None:
    partner.demand_taken(module)
    sent = partner.of(module).last
    found = await partner.object_at(partner.url(module, sent["id"]))
    different = difference(sent, found)
    demand(different is None, str(different))


async def _put_again(module: str, partner: Partner) -> None:
    partner.demand_taken(module)
    sent = partner.of(module).last
    url = partner.url(module, sent["id"])
    before = await partner.object_at(url)
    partner.demand_success(await partner.send("PUT", url, sent))
    different = difference(before, await partner.object_at(url))
    demand(different is None, str(different))


async def _put_change(module: str, partner: Partner) -> None:
    partner.demand_taken(module)
    sent = partner.of(module).last
    changed = {**_made(module, partner), "last_updated": partner.specimens.now()}
    if module == "sessions":
        changed["kwh"] = 0.5
    url = partner.url(module, sent["id"])
    partner.demand_success(await partner.send("PUT", url, changed))
    partner.of(module).last = changed
    different = difference(changed, await partner.object_at(url))
    demand(different is None, str(different))


async def _patch(module: str, partner: Partner) -> None:
    partner.demand_taken(module)
    sent = partner.of(module).last
    url = partner.url(module, sent["id"])
    changed = {"kwh": 0.25} if module == "sessions" else {"name": "Conformance test, changed"}
    patch = {**changed, "last_updated": partner.specimens.now()}
    partner.demand_success(await partner.send("PATCH", url, patch))
    partner.of(module).last = {**sent, **patch}
    different = difference(partner.of(module).last, await partner.object_at(url))
    demand(different is None, str(different))


async def _unknown(module: str, partner: Partner) -> None:
    response = await partner.look(partner.url(module, partner.specimens.id_of("NOT-THERE")))
    demand(
        partner.refuses(response),
        f"HTTP {response.status_code}, OCPI {partner.envelope(response)['status_code']}",
    )
    if response.status_code != 404:
        raise Advised(f"HTTP {response.status_code}, not 404")


async def _patch_unknown(module: str, partner: Partner) -> None:
    partner.receiver(module)
    made = _made(module, partner, "-NEVER")
    patch = {"last_updated": made["last_updated"]}
    patch |= {"kwh": 0.25} if module == "sessions" else {"name": made.get("name")}
    response = await partner.send("PATCH", partner.url(module, made["id"]), patch)
    demand(partner.refuses(response), f"HTTP {response.status_code}, and not refused")


async def _wrong_token(module: str, partner: Partner) -> None:
    partner.receiver(module)
    made = _made(module, partner, "-STRANGER")
    url = partner.url(module, made["id"])
    for what, authorization in (("no token", None), ("an unknown token", UNKNOWN)):
        response = await partner.send("PUT", url, made, authorization=authorization)
        demand(response.status_code == 401, f"HTTP {response.status_code} to {what}")
    demand(not await partner.has(url), "what came without a good token was kept")


async def _other_id(module: str, partner: Partner) -> None:
    partner.receiver(module)
    made = _made(module, partner, "-OTHER")
    url = partner.url(module, partner.specimens.id_of(_SHORT[module]) + "-URL")
    partner.of(module).ids.append(url.rpartition("/")[2])
    if not partner.refuses(await partner.send("PUT", url, made)):
        raise Advised("an object whose id is not the URL's was taken")


async def _incomplete(module: str, partner: Partner) -> None:
    partner.receiver(module)
    made = _made(module, partner, "-HALF")
    half = {name: made[name] for name in ("country_code", "party_id", "id") if name in made}
    response = await partner.send("PUT", partner.url(module, made["id"]), half)
    demand(response.status_code < 500, f"HTTP {response.status_code}")
    if not partner.refuses(response):
        raise Advised("an object without its mandatory fields was taken")


async def _not_json(module: str, partner: Partner) -> None:
    partner.receiver(module)
    made = _made(module, partner, "-BROKEN")
    response = await partner.send("PUT", partner.url(module, made["id"]), b'{"id": ')
    demand(partner.refuses(response), f"HTTP {response.status_code}, and not refused")


def _of(module: str) -> tuple[Rule[Partner], ...]:
    def rule(text: str, test: Callable[..., Awaitable[None]]) -> Rule[Partner]:
        return Rule(f"{module}: {text}", sections.RECEIVED[module], partial(test, module))

    patches = (
        rule("PATCH changes what it names, and nothing else", _patch),
        rule("PATCH of an unknown object is refused", _patch_unknown),
    )
    return (
        rule("PUT of a new object is taken", _put),
        rule("GET gives back what was PUT", _get),
        rule("the same PUT again changes nothing", _put_again),
        rule("PUT of a newer state replaces the older", _put_change),
        *(patches if module != "tariffs" else ()),
        rule("GET of an unknown object: a 2xxx, HTTP 404", _unknown),
        rule("wrong tokens: HTTP 401, and nothing is kept", _wrong_token),
        rule("an id unlike the URL's is refused", _other_id),
        rule("an object without mandatory fields is refused", _incomplete),
        rule("what is not JSON is refused in an envelope", _not_json),
    )


LOCATIONS, TARIFFS, SESSIONS = _of("locations"), _of("tariffs"), _of("sessions")
