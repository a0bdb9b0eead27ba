"""Paginated lists: the same rules for every sender module that the CPO offers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import parse_qs, quote, urlsplit

import httpx

from cpo_app.conformance import sections
from cpo_app.conformance.probe import Probe
from cpo_app.conformance.rules import Rule, Untested, demand
from cpo_app.conformance.sections import Section
from db_interface.json_data import JsonObject
from domain.schemas import SchemaError, parse_datetime, validate
from domain.versions import ObjectKind

_KINDS = {
    "locations": ObjectKind.LOCATION,
    "sessions": ObjectKind.SESSION,
    "cdrs": ObjectKind.CDR,
    "tariffs": ObjectKind.TARIFF,
    "tokens": ObjectKind.TOKEN,
}
_KNOWN_BY = ("country_code", "party_id", "type", "uid", "id")
"""What an object is known by, as far as it has it in the version."""
_MAX_PAGES = 20


async def _list(probe: Probe, module: str, query: str = "") -> httpx.Response:
    url = probe.list_url(module, query)
    if url is None:
        raise Untested(f"no {module} SENDER endpoint")
    return await probe.get(url)


async def _headers(module: str, probe: Probe) -> None:
    response = await _list(probe, module)
    rows = probe.data(response)
    demand(isinstance(rows, list), "data is not a list")
    for name in ("X-Total-Count", "X-Limit"):
        value = response.headers.get(name, "")
        demand(value.isdigit(), f"{name}: {value!r} is not a number")
    demand(
        int(response.headers["X-Total-Count"]) >= len(rows),
        f"X-Total-Count {response.headers['X-Total-Count']} is less than the {len(rows)} objects",
    )
    demand(
        int(response.headers["X-Limit"]) >= len(rows),
        f"X-Limit {response.headers['X-Limit']} is less than the {len(rows)} objects",
    )


async def _crawl(module: str, probe: Probe) -> None:
    response = await _list(probe, module, "limit=2&offset=0")
    total = response.headers.get("X-Total-Count", "")
    seen: list[tuple[str, ...]] = []
    for _ in range(_MAX_PAGES):
        rows = probe.data(response)
        demand(len(rows) <= 2, f"{len(rows)} objects to limit=2")
        seen += map(_key, rows)
        link = response.headers.get("Link")
        following = response.links.get("next", {}).get("url")
        if link is not None:
            demand(following, f"a Link header without rel next: {link!r}")
        if following is None:
            demand(str(len(seen)) == total, f"{len(seen)} objects crawled, X-Total-Count {total}")
            break
        response = await probe.get(following)
        demand(response.status_code == 200, f"HTTP {response.status_code} at the Link {following}")
    demand(len(set(seen)) == len(seen), "an object came twice")


async def _filters_in_link(module: str, probe: Probe) -> None:
    moment = "2011-01-01T00:00:00Z"
    response = await _list(probe, module, f"date_from={moment}&limit=1")
    following = response.links.get("next", {}).get("url")
    if following is None:
        raise Untested("fewer than two objects")
    kept = parse_qs(urlsplit(following).query).get("date_from", [""])[0]
    try:
        same = parse_datetime(kept) == parse_datetime(moment)
    except ValueError:
        same = False
    demand(same, f"date_from in the Link is {kept!r}")


async def _dates(module: str, probe: Probe) -> None:
    rows = await probe.first_page(module)
    if not rows:
        raise Untested(f"no {module} to look at")
    row = rows[0]
    moment = quote(row["last_updated"], safe=":")
    key = _key(row)

    async def found(query: str) -> bool:
        page = probe.data(await _list(probe, module, query))
        return key in map(_key, page)

    # Among many objects of one moment it may be on a later page: only look for a wrong answer.
    if len(rows) < 20:
        demand(await found(f"date_from={moment}"), "date_from excludes its own moment")
    demand(
        not await found(f"date_from=2010-01-01T00:00:00Z&date_to={moment}"),
        "date_to includes its own moment",
    )
    future = probe.data(await _list(probe, module, "date_from=2100-01-01T00:00:00Z"))
    demand(future == [], f"{len(future)} objects changed after the year 2100")


async def _bad_parameters(module: str, probe: Probe) -> None:
    for query in ("limit=x", "offset=-1", "date_from=yesterday"):
        response = await _list(probe, module, query)
        answer = probe.envelope(response)
        demand(
            response.status_code in (200, 400) and 2000 <= answer["status_code"] < 3000,
            f"?{query}: HTTP {response.status_code}, OCPI {answer['status_code']}",
        )


async def _objects(module: str, probe: Probe) -> None:
    rows = await probe.first_page(module)
    if not rows:
        raise Untested(f"no {module} to look at")
    bad = []
    for row in rows:
        try:
            validate(probe.version.models[_KINDS[module]], row)
        except SchemaError as error:
            known_by = row.get("id") or row.get("uid") if isinstance(row, dict) else row
            bad.append(f"{known_by}: {error}")
    demand(not bad, f"{len(bad)} of {len(rows)} are not; the first: {bad[0] if bad else ''}")


def _key(row: JsonObject) -> tuple[str, ...]:
    return tuple(str(row.get(name, "")) for name in _KNOWN_BY)


def rules_of(module: str) -> tuple[Rule[Probe], ...]:
    def rule(text: str, section: Section, test: Callable[..., Awaitable[None]]) -> Rule[Probe]:
        return Rule(f"{module}: {text}", section, partial(test, module))

    return (
        rule("X-Total-Count and X-Limit stand and fit", sections.LISTS, _headers),
        rule("a crawl by Link meets every object once", sections.LISTS, _crawl),
        rule("the Link keeps the filters", sections.LISTS, _filters_in_link),
        rule("date_from is inclusive, date_to exclusive", sections.LISTS, _dates),
        rule("bad parameters get a 2xxx in an envelope", sections.CLIENT_ERRORS, _bad_parameters),
        rule("the objects are as the text's tables say", sections.OBJECTS[module], _objects),
    )


RULES = tuple(
    rule for module in ("locations", "sessions", "cdrs", "tariffs") for rule in rules_of(module)
)
