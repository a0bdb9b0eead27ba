"""Which tariffs apply where: said and read at the API and on the console alike."""

from __future__ import annotations

import re

import httpx
import pytest

from domain.operators.actor import Role
from tests.cpo_app.api.conftest import Api, api
from tests.domain.schemas.samples import connector, evse, location
from tests.domain.sessions.worlds import tariff

__all__ = ["api"]

PAGE = "/console/objects/locations?key=nl/evc/loc1"


@pytest.fixture
def place(api: Api) -> Api:
    """LOC1 with two connectors, of which the first names OLD; tariffs OLD and T1; OLD is the
    default."""
    connectors = [connector(tariff_ids=["OLD"]), connector(id="2")]
    made = location(
        country_code="NL", party_id="EVC", evses=[evse(uid="E1", connectors=connectors)]
    )
    for path, body in (
        ("/v1/tariffs", {"objects": [tariff("OLD"), tariff("T1")]}),
        ("/v1/locations", {"objects": [made]}),
        ("/v1/tariffs/default", {"tariff_id": "OLD"}),
    ):
        answer = api.post(path, body)
        assert answer.status_code == 200 and answer.json().get("refused", []) == [], answer.text
    return api


def rows(api: Api) -> list[tuple[str, list[str], str]]:
    found = api.get("/v1/locations/loc1/tariffs").json()["connectors"]
    return [(row["connector_id"], row["tariff_ids"], row["source"]) for row in found]


def page(api: Api, path: str, role: Role = Role.ADMIN) -> httpx.Response:
    return api.loop.run(api.http.get(path, headers=api.as_role(role)))


def test_the_api_says_and_shows_it(place: Api) -> None:
    assert rows(place) == [("1", ["OLD"], "given"), ("2", ["OLD"], "default")]
    given = {"tariff_ids": ["t1"], "evse_uid": "e1", "connector_id": "2"}
    refused = place.post("/v1/locations/LOC1/tariffs", given, Role.OPERATOR)
    assert refused.status_code == 403
    done = place.post("/v1/locations/LOC1/tariffs", given, Role.MONEY)
    assert done.status_code == 200, done.text
    assert done.json()["assigned"][0]["by"] == "money-key"
    assert rows(place) == [("1", ["OLD"], "given"), ("2", ["T1"], "connector")]
    [listed] = place.get("/v1/tariffs-assigned").json()["items"]
    assert (listed["location_id"], listed["party"]) == ("LOC1", "NL/EVC")
    shown = place.get("/v1/locations/LOC1").json()
    assert shown["evses"][0]["connectors"][1]["tariff_ids"] == ["T1"]
    where = {"evse_uid": "E1", "connector_id": "2"}
    assert place.post("/v1/locations/LOC1/tariffs/unassign", where).status_code == 200
    assert place.post("/v1/locations/LOC1/tariffs/unassign", where).status_code == 409
    assert rows(place)[1] == ("2", ["OLD"], "default")
    for bad, status in (
        ({"tariff_ids": []}, 422),
        ({"tariff_ids": ["T9"]}, 404),
        ({"tariff_ids": ["T1"], "evse_uid": "E9"}, 409),
    ):
        assert place.post("/v1/locations/LOC1/tariffs", bad).status_code == status, bad


def test_the_console_says_and_shows_it(place: Api) -> None:
    before = page(place, PAGE)
    assert "registration or import" in before.text and "the default tariff" in before.text
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', before.text)
    assert found is not None
    form = {"form_token": found[1], "party": "NL/EVC", "tariff_ids": "T1 OLD"}
    headers = {**place.as_role(Role.ADMIN), "Origin": "http://cpo.example"}
    path = "/console/locations/LOC1/tariffs"
    done = place.loop.run(place.http.post(path, data=form, headers=headers))
    assert done.status_code == 303, done.text
    after = page(place, done.headers["location"])
    assert "Assigned: peers see these tariffs there" in after.text
    assert "the location (assigned)" in after.text and "T1, OLD" in after.text
    overview = page(place, "/console/tariffs")
    assert "all of it, by admin-key" in overview.text
    assert "/tariffs/unassign" in after.text
    assert "/tariffs" not in re.findall(r'action="([^"]+)"', page(place, PAGE, Role.OPERATOR).text)
