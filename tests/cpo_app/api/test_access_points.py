"""A national access point that takes no part in the credentials module is added by hand."""

from __future__ import annotations

from typing import Any

import httpx

from auth.credentials_header import encoded
from db_interface.database import Database
from domain.outbox.marks import MARKS
from tests.conftest import Loop
from tests.cpo_app.api.conftest import Api
from tests.domain.open_data.test_kept_document import World

GIVEN = {
    "name": "DOT-NL",
    "party": "NL/NDW",
    "locations_url": "https://nap.example.org/ocpi/locations",
    "tariffs_url": "https://nap.example.org/ocpi/tariffs",
    "token": "what-they-gave-us",
}


def added(api: Api, **changes: Any) -> httpx.Response:
    return api.post("/v1/peers/access-points", {**GIVEN, **changes})


def reads(api: Api, token: str, module: str) -> httpx.Response:
    headers = {"Authorization": encoded(token)}
    return api.loop.run(api.http.get(f"/ocpi/cpo/2.2.1/{module}", headers=headers))


def test_it_reads_with_our_token_and_is_pushed_what_is_published(
    api: Api, db: Database, loop: Loop
) -> None:
    answer = added(api)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert made["locations_url"].endswith("/ocpi/cpo/2.2.1/locations")
    world = World(db, loop)
    world.publish_location("SHOWN")
    world.publish_location("GUESTS", publish=False)

    page = reads(api, made["token"], "locations")
    assert [one["id"] for one in page.json()["data"]] == ["SHOWN"]
    assert reads(api, made["token"], "tariffs").status_code == 200
    assert reads(api, made["token"], "sessions").status_code == 404
    marks = loop.run(MARKS.of(db).find({"peer_id": made["peer_id"]}))
    assert [mark["key"] for mark in marks] == ["nl/evc/shown"]


def test_what_goes_by_a_versions_url_is_not_possible_with_it(api: Api) -> None:
    peer_id = added(api).json()["peer_id"]
    for action in ("refresh", "rotate"):
        refused = api.post(f"/v1/peers/{peer_id}/{action}", {})
        assert (refused.status_code, "added by hand" in refused.text) == (409, True)


def test_nothing_is_kept_of_one_that_cannot_be_added(api: Api) -> None:
    assert added(api).status_code == 200
    assert added(api, name="once more").status_code == 409
    assert added(api, party="NL-NDW").status_code == 422
    assert added(api, locations_url="http://10.0.0.1/locations").status_code == 422
    assert [row["name"] for row in api.get("/v1/peers").json()["items"]] == ["DOT-NL"]
