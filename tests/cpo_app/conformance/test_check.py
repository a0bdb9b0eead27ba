"""`cpo check` on ourselves finds nothing wrong, and on a CPO that errs it says what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cpo_app.conformance import Finding, Unusable, Verdict, check
from domain.schemas import Location, validate
from domain.versions import VERSIONS, OcpiVersion
from tests.conftest import Loop
from tests.cpo_app.ocpi.conftest import (  # noqa: F401
    Face,
    MakeFace,
    _one_face,
    face,
    make_face,
)
from tests.serving import served

EXAMPLE = Path(__file__).parents[2] / "data/spec_examples/locations/location_example.json"


def of(verdict: Verdict, findings: list[Finding]) -> list[tuple[str, str]]:
    return [(found.rule, found.detail) for found in findings if found.verdict is verdict]


@pytest.mark.parametrize("version", VERSIONS.values(), ids=list(VERSIONS))
def test_our_own_interface_breaks_no_rule(
    make_face: MakeFace,  # noqa: F811
    loop: Loop,
    version: OcpiVersion,
) -> None:
    offered = ",".join(VERSIONS)
    face = make_face(COUNTRY_CODE="BE", PARTY_ID="BEC", CPO_OCPI_VERSIONS=offered)  # noqa: F811
    peer = face.connected("DE*TNM", version=version.number)
    example = validate(Location, json.loads(EXAMPLE.read_text()))
    face.keep_locations(*({**example, "id": f"Loc{number}"} for number in range(7)))

    findings = loop.run(check(f"{face.ocpi}/versions", peer.token, version))

    assert of(Verdict.failed, findings) == []
    # http on loopback is the one thing that the text advises against
    assert [rule for rule, _ in of(Verdict.advised, findings)] == ["URLs are https"]
    assert len(of(Verdict.passed, findings)) >= 25


def test_a_wrong_token_is_said_in_one_line(face: Face, loop: Loop) -> None:  # noqa: F811
    with pytest.raises(Unusable, match="HTTP 401"):
        loop.run(check(f"{face.ocpi}/versions", "not-a-token"))


def _erring_cpo() -> Starlette:
    """A CPO with well-known faults: as the library alone has them."""

    def answer(data: Any, **headers: str) -> Response:
        return JSONResponse(
            {"data": data, "status_code": 1000, "timestamp": "2024-01-01T00:00:00Z"},
            headers=headers,
        )

    async def versions(request: Request) -> Response:
        return answer([{"version": "2.2.1", "url": f"{request.base_url}details"}])

    async def details(request: Request) -> Response:
        row = {"identifier": "locations", "role": "SENDER", "url": f"{request.base_url}locations"}
        return answer({"version": "2.2.1", "endpoints": [row]})

    async def locations(request: Request) -> Response:
        if "authorization" not in request.headers:
            return JSONResponse({"detail": "Not authenticated"}, 403)
        row = {"country_code": "be", "party_id": "bec", "id": "loc1", "state": None}
        headers = {"X-Total-Count": "5", "X-Limit": "1", "Link": ""}
        return answer([{**row, "last_updated": "2020-01-01T00:00:00Z"}], **headers)

    async def location(_request: Request) -> Response:
        return answer([{"id": "loc1"}])

    return Starlette(
        routes=[
            Route("/versions", versions),
            Route("/details", details),
            Route("/locations", locations),
            Route("/locations/{id}", location),
        ]
    )


def test_the_faults_of_another_cpo_are_named(loop: Loop) -> None:
    with served(_erring_cpo(), loop) as url:
        findings = loop.run(check(f"{url}/versions", "any"))

    broken = dict(of(Verdict.failed, findings))
    assert "no endpoint `credentials`" in broken["The credentials module has an endpoint"]
    assert "to none" in broken["Wrong or no credentials token: HTTP 401"]
    assert "without an OCPI envelope" in broken["HTTP 401 comes in an envelope"]
    assert "X-Request-ID" in broken["X-Request-ID, X-Correlation-ID come back"]
    assert "rel next" in broken["locations: a crawl by Link meets every object once"]
    assert "date_to includes" in broken["locations: date_from is inclusive, date_to exclusive"]
    assert "not an object" in broken["GET of a location is one object"]
    assert "1 of 1 are not" in broken["locations: the objects are as the text's tables say"]
    assert "cdrs: X-Total-Count and X-Limit stand and fit" not in broken
