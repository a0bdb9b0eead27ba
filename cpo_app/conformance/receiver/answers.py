"""What an eMSP is asked besides: its cards, and results of commands that it never sent."""

from __future__ import annotations

from cpo_app.conformance import sections
from cpo_app.conformance.receiver.partner import Partner
from cpo_app.conformance.rules import Rule, Untested, demand
from domain.versions import ObjectKind


async def _unknown_card(partner: Partner) -> None:
    url = partner.endpoint("tokens", "SENDER")
    if url is None:
        raise Untested("no tokens SENDER endpoint")
    uid = partner.specimens.id_of("CARD")
    response = await partner.send("POST", f"{url.rstrip('/')}/{uid}/authorize")
    if partner.refuses(response):
        return
    data = partner.data(response)
    allowed = data.get("allowed") if isinstance(data, dict) else None
    demand(allowed and allowed != "ALLOWED", f"a made-up card: allowed is {allowed}")


async def _unasked_result(partner: Partner) -> None:
    url = partner.endpoint("commands", "SENDER")
    if url is None:
        raise Untested("no commands SENDER endpoint")
    result = {"result": "REJECTED"}
    body = partner.version.render(ObjectKind.COMMAND_RESULT, result).object
    place = f"{url.rstrip('/')}/STOP_SESSION/{partner.specimens.id_of('CMD')}"
    response = await partner.send("POST", place, body)
    partner.envelope(response)
    demand(response.status_code < 500, f"HTTP {response.status_code}")


async def _wrong_token(partner: Partner) -> None:
    url = partner.endpoint("commands", "SENDER")
    if url is None:
        raise Untested("no commands SENDER endpoint")
    place = f"{url.rstrip('/')}/STOP_SESSION/{partner.specimens.id_of('CMD')}"
    response = await partner.send("POST", place, {"result": "REJECTED"}, authorization=None)
    demand(response.status_code in (401, 404), f"HTTP {response.status_code} to no token")


RULES: tuple[Rule[Partner], ...] = (
    Rule("tokens: a made-up card is not allowed to charge", sections.REAL_TIME, _unknown_card),
    Rule("commands: a result that nobody waits for: no 5xx", sections.RESULTS, _unasked_result),
    Rule("commands: a result without a token is not let in", sections.RESULTS, _wrong_token),
)
