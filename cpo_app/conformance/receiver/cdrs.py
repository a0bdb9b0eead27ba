"""CDRs: POSTed once, shown at the Location that the answer names. None can be taken back."""

from __future__ import annotations

from urllib.parse import urljoin

import httpx

from cpo_app.conformance import sections
from cpo_app.conformance.receiver.partner import UNKNOWN, Partner
from cpo_app.conformance.receiver.sameness import difference
from cpo_app.conformance.rules import Advised, Rule, demand

_CDRS = sections.RECEIVED["cdrs"]


async def _post(partner: Partner) -> None:
    url = partner.receiver("cdrs")
    made = partner.specimens.cdr(partner.specimens.id_of("CDR"))
    response = await partner.send("POST", url, made)
    partner.demand_success(response)
    of = partner.of("cdrs")
    of.taken, of.last = True, {"cdr": made, "at": _location(response)}


async def _shown(partner: Partner) -> None:
    partner.demand_taken("cdrs")
    location = partner.of("cdrs").last["at"]
    demand(location, "no Location header in the answer to the POST")
    different = difference(partner.of("cdrs").last["cdr"], await partner.object_at(location))
    demand(different is None, str(different))


async def _again(partner: Partner) -> None:
    partner.demand_taken("cdrs")
    sent = partner.of("cdrs").last
    response = await partner.send("POST", partner.receiver("cdrs"), sent["cdr"])
    if partner.refuses(response):
        return
    partner.demand_success(response)
    location = _location(response)
    demand(location == sent["at"], f"it was taken as another one: {location}")


async def _credit(partner: Partner) -> None:
    partner.demand_taken("cdrs")
    credited = partner.of("cdrs").last["cdr"]["id"]
    made = partner.specimens.cdr(partner.specimens.id_of("CREDIT"), credits=credited)
    partner.demand_success(await partner.send("POST", partner.receiver("cdrs"), made))


async def _wrong_token(partner: Partner) -> None:
    url = partner.receiver("cdrs")
    made = partner.specimens.cdr(partner.specimens.id_of("CDR") + "-STRANGER")
    for what, authorization in (("no token", None), ("an unknown token", UNKNOWN)):
        response = await partner.send("POST", url, made, authorization=authorization)
        demand(response.status_code == 401, f"HTTP {response.status_code} to {what}")


async def _incomplete(partner: Partner) -> None:
    half = {"id": partner.specimens.id_of("CDR") + "-HALF"}
    response = await partner.send("POST", partner.receiver("cdrs"), half)
    demand(response.status_code < 500, f"HTTP {response.status_code}")
    if not partner.refuses(response):
        raise Advised("a CDR without its mandatory fields was taken")


def _location(response: httpx.Response) -> str:
    """The absolute URL in the Location header, or nothing."""
    given = response.headers.get("Location", "")
    return urljoin(str(response.url), given) if given else ""


RULES: tuple[Rule[Partner], ...] = (
    Rule("cdrs: POST of a CDR is taken", _CDRS, _post),
    Rule("cdrs: the Location of the answer shows the CDR", _CDRS, _shown),
    Rule("cdrs: the same POST again makes no second CDR", _CDRS, _again),
    Rule("cdrs: a credit CDR is taken", sections.CREDIT_CDRS, _credit),
    Rule("cdrs: wrong tokens: HTTP 401", _CDRS, _wrong_token),
    Rule("cdrs: a CDR without mandatory fields is refused", _CDRS, _incomplete),
)
