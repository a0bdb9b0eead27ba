"""Versions and version details."""

from __future__ import annotations

from cpo_app.conformance import sections
from cpo_app.conformance.probe import Probe
from cpo_app.conformance.rules import Advised, Rule, Untested, demand
from domain.schemas import SchemaError, validate
from domain.versions import ObjectKind


async def _versions(probe: Probe) -> None:
    demand(isinstance(probe.versions, list), "data is not a list")
    for row in probe.versions:
        if row.get("version") == probe.version.number:
            _valid(probe, ObjectKind.VERSION, row)


async def _details(probe: Probe) -> None:
    _valid(probe, ObjectKind.VERSION_DETAILS, probe.details)


async def _credentials_endpoint(probe: Probe) -> None:
    found = [row for row in probe.details["endpoints"] if row.get("identifier") == "credentials"]
    demand(found, "no endpoint `credentials`")


async def _endpoints_once(probe: Probe) -> None:
    rows = [(row.get("identifier"), row.get("role")) for row in probe.details["endpoints"]]
    twice = {row for row in rows if rows.count(row) > 1}
    demand(not twice, f"named twice: {sorted(map(str, twice))}")


async def _https(probe: Probe) -> None:
    urls = [probe.versions_url, *(str(row.get("url")) for row in probe.details["endpoints"])]
    plain = [url for url in urls if not url.startswith("https://")]
    if plain:
        raise Advised(f"{len(plain)} URLs are not https, the first: {plain[0]}")


async def _credentials(probe: Probe) -> None:
    url = next(
        (
            row["url"]
            for row in probe.details["endpoints"]
            if row.get("identifier") == "credentials"
        ),
        None,
    )
    if url is None:
        raise Untested("no endpoint `credentials`")
    _valid(probe, ObjectKind.CREDENTIALS, probe.data(await probe.get(url)))


def _valid(probe: Probe, kind: ObjectKind, data: object) -> None:
    try:
        validate(probe.version.models[kind], data)
    except SchemaError as error:
        demand(False, str(error))


RULES: tuple[Rule[Probe], ...] = (
    Rule("GET versions lists Version objects", sections.VERSION_LIST, _versions),
    Rule("GET version details holds Endpoint objects", sections.VERSION_DETAILS, _details),
    Rule("The credentials module has an endpoint", sections.MODULES, _credentials_endpoint),
    Rule("Every module and role has one endpoint", sections.VERSION_DETAILS, _endpoints_once),
    Rule("URLs are https", sections.SECURITY, _https),
    Rule("GET credentials is one Credentials object", sections.CREDENTIALS, _credentials),
)
