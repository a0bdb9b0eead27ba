"""Single objects: locations, EVSEs, connectors, and what is not there."""

from __future__ import annotations

from typing import Any

from cpo_app.conformance import sections
from cpo_app.conformance.probe import Probe
from cpo_app.conformance.rules import Advised, Rule, Untested, demand
from db_interface.json_data import JsonObject

_LOCATIONS = sections.LOCATIONS_OF_CPO


async def _some_location(probe: Probe) -> JsonObject:
    rows = await probe.first_page("locations")
    with_evses = [row for row in rows if row.get("evses")]
    if not rows:
        raise Untested("no locations to look at")
    return (with_evses or rows)[0]


def _url(probe: Probe, *ids: str) -> str:
    return "/".join((str(probe.endpoint("locations", "SENDER")).rstrip("/"), *ids))


async def _location(probe: Probe) -> None:
    row = await _some_location(probe)
    data = probe.data(await probe.get(_url(probe, row["id"])))
    demand(isinstance(data, dict), f"data is a {type(data).__name__}, not an object")
    demand(data.get("id") == row["id"], f"id {data.get('id')!r} to a request for {row['id']!r}")


async def _evse_and_connector(probe: Probe) -> None:
    row = await _some_location(probe)
    if not row.get("evses"):
        raise Untested("no location with an EVSE")
    evse = row["evses"][0]
    data = probe.data(await probe.get(_url(probe, row["id"], evse["uid"])))
    demand(isinstance(data, dict) and data.get("uid") == evse["uid"], "not that EVSE, as an object")
    connector = evse["connectors"][0]
    data = probe.data(await probe.get(_url(probe, row["id"], evse["uid"], connector["id"])))
    demand(
        isinstance(data, dict) and data.get("id") == connector["id"],
        "not that Connector, as an object",
    )


async def _unknown_location(probe: Probe) -> None:
    if probe.endpoint("locations", "SENDER") is None:
        raise Untested("no locations SENDER endpoint")
    response = await probe.get(_url(probe, "no-such-location-0815"))
    answer = probe.envelope(response)
    demand(answer["status_code"] >= 2000, f"OCPI {answer['status_code']}")
    if response.status_code != 404:
        raise Advised(f"HTTP {response.status_code}, not 404")


async def _case(probe: Probe) -> None:
    row = await _some_location(probe)
    if row["id"].swapcase() == row["id"]:
        raise Untested(f"the id {row['id']} has no letters")
    data = probe.data(await probe.get(_url(probe, row["id"].swapcase())))
    demand(
        isinstance(data, dict) and data.get("id") == row["id"],
        f"the id came back as {data.get('id') if isinstance(data, dict) else data!r}",
    )


async def _no_nulls(probe: Probe) -> None:
    row = await _some_location(probe)
    path = _null_in(row, "")
    if path:
        raise Advised(f"{path} is null in the location {row['id']}")


def _null_in(value: object, path: str) -> str | None:
    if value is None:
        return path
    if not isinstance(value, (dict, list)):
        return None
    parts: Any = value.items() if isinstance(value, dict) else enumerate(value)
    return next((found for key, part in parts if (found := _null_in(part, f"{path}/{key}"))), None)


RULES: tuple[Rule[Probe], ...] = (
    Rule("GET of a location is one object", _LOCATIONS, _location),
    Rule("GET of an EVSE and of a Connector is one object", _LOCATIONS, _evse_and_connector),
    Rule("An unknown location: a 2xxx, HTTP 404", _LOCATIONS, _unknown_location),
    Rule("Ids are found whatever their case, and keep it", sections.IDENTIFIERS, _case),
    Rule("Fields without value are left out", sections.RESPONSES, _no_nulls),
)
