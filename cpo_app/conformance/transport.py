"""Authorization, envelopes, message ids, routing headers."""

from __future__ import annotations

import uuid

from cpo_app.conformance import sections
from cpo_app.conformance.probe import Probe
from cpo_app.conformance.rules import Rule, Untested, demand
from domain.schemas import parse_datetime

_WRONG = {
    "none": None,
    "an unknown token": "Token dW5rbm93bi10b2tlbg==",
    "another scheme": "Bearer dW5rbm93bi10b2tlbg==",
    "what is not Base64": "Token !!!",
    "the scheme alone": "Token",
}


def _some_list(probe: Probe) -> str:
    for module in ("locations", "tariffs", "cdrs", "sessions", "tokens"):
        url = probe.list_url(module)
        if url is not None:
            return url
    raise Untested("no sender list among the endpoints")


async def _unauthorized(probe: Probe) -> None:
    for url in (probe.versions_url, _some_list(probe)):
        for what, value in _WRONG.items():
            response = await probe.get(url, authorization=value)
            demand(
                response.status_code == 401,
                f"HTTP {response.status_code} to {what} at {url.split('?')[0]}",
            )


async def _unauthorized_envelope(probe: Probe) -> None:
    probe.envelope(await probe.get(_some_list(probe), authorization=None))


async def _unknown_path(probe: Probe) -> None:
    url = probe.details_url.rstrip("/") + "/there-is-nothing-here"
    response = await probe.get(url)
    demand(response.status_code == 404, f"HTTP {response.status_code}, not 404")
    probe.envelope(response)


async def _envelope(probe: Probe) -> None:
    answer = probe.envelope(await probe.get(_some_list(probe)))
    demand("timestamp" in answer, "no timestamp")
    try:
        parse_datetime(answer["timestamp"])
    except (TypeError, ValueError) as error:
        demand(False, f"timestamp: {error}")
    demand(answer.get("data", []) is not None, "data is null")


async def _content_type(probe: Probe) -> None:
    response = await probe.get(_some_list(probe))
    found = response.headers.get("content-type", "")
    demand(found.split(";")[0].strip().lower() == "application/json", f"Content-Type: {found!r}")


async def _ids(probe: Probe) -> None:
    request_id, correlation_id = str(uuid.uuid4()), str(uuid.uuid4())
    for url in (probe.versions_url, _some_list(probe)):
        response = await probe.get(url, X_Request_ID=request_id, X_Correlation_ID=correlation_id)
        for name, sent in (("X-Request-ID", request_id), ("X-Correlation-ID", correlation_id)):
            got = response.headers.get(name)
            demand(got == sent, f"{name}: {got!r}, not the one that was sent")


async def _no_redirect(probe: Probe) -> None:
    path, _, query = _some_list(probe).partition("?")
    for form in (path.rstrip("/"), path.rstrip("/") + "/"):
        response = await probe.get(f"{form}?{query}" if query else form)
        if form == path:
            demand(response.status_code == 200, f"HTTP {response.status_code} at {form}")
        demand(not response.is_redirect, f"HTTP {response.status_code} redirect at {form}")


async def _routing(probe: Probe) -> None:
    lists = [await probe.first_page(module) for module in ("locations", "tariffs", "tokens")]
    rows = next(filter(None, lists), [])
    if not rows:
        raise Untested("no object tells which party is hosted")
    party = {
        "OCPI_to_country_code": rows[0]["country_code"],
        "OCPI_to_party_id": rows[0]["party_id"],
    }
    response = await probe.get(_some_list(probe), **party)
    for name in ("country-code", "party-id"):
        sent = party[f"OCPI_to_{name.replace('-', '_')}"]
        got = response.headers.get(f"OCPI-from-{name}")
        demand(
            got is not None and got.lower() == sent.lower(),
            f"OCPI-from-{name}: {got!r} to a request with OCPI-to-{name}: {sent}",
        )


RULES: tuple[Rule[Probe], ...] = (
    Rule("Wrong or no credentials token: HTTP 401", sections.AUTHORIZATION, _unauthorized),
    Rule("HTTP 401 comes in an envelope", sections.RESPONSES, _unauthorized_envelope),
    Rule("An unknown path: HTTP 404 in an envelope", sections.RESPONSES, _unknown_path),
    Rule("Answers are envelopes with a timestamp", sections.RESPONSES, _envelope),
    Rule("Answers are application/json", sections.RESPONSES, _content_type),
    Rule("X-Request-ID, X-Correlation-ID come back", sections.MESSAGE_IDS, _ids),
    Rule("Advertised URLs answer, not redirect", sections.ENDPOINTS, _no_redirect),
    Rule("Routing headers come back swapped", sections.ROUTING, _routing),
)
