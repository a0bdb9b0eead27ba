"""The mock hub alone: its face by the text, whom it hands what on to, and its faults."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cpo_app.cli.hub import obey
from cpo_app.mock_hub.faults import KINDS, Faults
from cpo_app.mock_hub.hub import Hub
from domain.schemas import (
    AuthorizationInfo,
    ClientInfo,
    Credentials,
    Token,
    VersionDetails,
    validate,
)
from tests.conftest import Loop
from tests.peers.hub import hub_on

CPO = {"OCPI-from-country-code": "DE", "OCPI-from-party-id": "CPO"}


@pytest.fixture
def hub(loop: Loop) -> Iterator[Hub]:
    with hub_on(loop) as hub:
        yield hub


def ask(hub: Hub, method: str, path: str, to: str = "", **options: Any) -> httpx.Response:
    token = base64.b64encode(hub.token_for_cpo.encode()).decode()
    headers = {"Authorization": f"Token {token}", "X-Request-ID": "r-1", **CPO}
    if to:
        headers |= {"OCPI-to-country-code": to[:2], "OCPI-to-party-id": to[3:]}
    url = path if path.startswith("http") else f"{hub.module_url}/{path}"
    return httpx.request(method, url, headers=headers, timeout=20, trust_env=False, **options)


def rows(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.json()["status_code"] == 1000
    return answer.json()["data"]


def test_it_reports_itself_alone_as_the_text_says(hub: Hub) -> None:
    versions = rows(ask(hub, "GET", hub.versions_url))
    details = ask(hub, "GET", versions[0]["url"]).json()["data"]
    credentials = ask(hub, "GET", "credentials").json()["data"]
    assert validate(VersionDetails, details) == details
    assert validate(Credentials, credentials) == credentials
    assert [role["role"] for role in credentials["roles"]] == ["HUB"]


def test_a_platform_that_lists_its_clients_as_roles(loop: Loop) -> None:
    with hub_on(loop, clients=("FR/CLI",), clients_as_roles=True) as hub:
        roles = [(role["role"], role["party_id"]) for role in hub.credentials["roles"]]
    assert roles == [("HUB", "HUB"), ("EMSP", "CLI")]


def test_without_the_right_token_there_is_nothing(hub: Hub) -> None:
    wrong = base64.b64encode(b"wrong").decode()
    for header in ("", "Token x", f"Token {wrong}", f"Bearer {wrong}"):
        for path in (hub.versions_url, f"{hub.module_url}/tokens"):
            answer = httpx.get(path, headers={"Authorization": header}, trust_env=False)
            assert answer.status_code == 401


def test_clients_and_tokens_are_pages_of_right_objects(hub: Hub) -> None:
    clients = rows(ask(hub, "GET", "hubclientinfo"))
    assert [validate(ClientInfo, row) for row in clients] == clients
    assert {row["party_id"] for row in clients} == {"CLI", "KUN", "MSP"}
    everybody = ask(hub, "GET", "tokens?limit=4", to="FR/HUB")
    assert everybody.headers["X-Total-Count"] == "9"
    assert [validate(Token, row) for row in rows(everybody)] == rows(everybody)
    crawled, answer = rows(everybody), everybody
    while "next" in answer.links:
        answer = ask(hub, "GET", answer.links["next"]["url"], to="FR/HUB")
        crawled += rows(answer)
    assert len({row["uid"] for row in crawled}) == len(crawled) == 9
    assert {row["party_id"] for row in rows(ask(hub, "GET", "tokens", to="DE/KUN"))} == {"KUN"}


def test_a_card_is_authorized_by_its_own_client(hub: Hub, loop: Loop) -> None:
    answer = ask(hub, "POST", "tokens/de-kun-card-2/authorize")
    assert validate(AuthorizationInfo, answer.json()["data"])["allowed"] == "ALLOWED"
    assert answer.headers["OCPI-from-party-id"] == "KUN"
    assert answer.headers["X-Request-ID"] == "r-1"
    assert ask(hub, "POST", "tokens/NO-SUCH/authorize").json()["status_code"] == 2004
    other = ask(hub, "POST", "tokens/DE-KUN-CARD-2/authorize", to="FR/CLI")
    assert other.json()["status_code"] == 2004


def test_what_is_pushed_goes_to_whom_it_is_addressed(hub: Hub, loop: Loop) -> None:
    hub.client("NL/MSP").status = "OFFLINE"
    location = {"id": "L1", "name": "One"}
    assert ask(hub, "PUT", "locations/DE/CPO/L1", to="FR/HUB", json=location).status_code == 201
    assert ask(hub, "PUT", "locations/DE/CPO/L1", to="FR/HUB", json=location).status_code == 200
    ask(hub, "PUT", "sessions/DE/CPO/S1", to="DE/KUN", json={"id": "S1"})
    ask(hub, "PATCH", "sessions/DE/CPO/S1", to="DE/KUN", json={"kwh": 2})
    open_routing = {"cdr_token": {"country_code": "fr", "party_id": "cli"}, "id": "S2"}
    ask(hub, "PUT", "sessions/DE/CPO/S2", json=open_routing)

    assert [m.clients for m in hub.mailbox.of("locations")] == [(("FR", "CLI"), ("DE", "KUN"))] * 2
    assert [m.path for m in hub.mailbox.of("sessions", ("DE", "KUN"))] == ["DE/CPO/S1"] * 2
    assert [m.path for m in hub.mailbox.of("sessions", ("FR", "CLI"))] == ["DE/CPO/S2"]
    assert hub.mailbox.of("sessions")[0].sender == ("DE", "CPO")
    held = ask(hub, "GET", "sessions/DE/CPO/S1").json()["data"]
    assert held == {"id": "S1", "kwh": 2}
    assert ask(hub, "GET", "sessions/DE/CPO/S9").status_code == 404


def test_who_cannot_be_reached_is_said_with_the_hubs_codes(hub: Hub) -> None:
    hub.client("NL/MSP").status = "OFFLINE"
    for to, code in (("NL/MSP", 4003), ("XX/XXX", 4001)):
        answer = ask(hub, "PUT", "sessions/DE/CPO/S1", to=to, json={"id": "S1"})
        assert (answer.status_code, answer.json()["status_code"]) == (200, code)
    assert hub.mailbox.arrived == []


def test_a_cdr_is_kept_where_its_location_header_says(hub: Hub) -> None:
    cdr = {"country_code": "DE", "party_id": "CPO", "id": "C1"}
    answer = ask(hub, "POST", "cdrs", to="FR/CLI", json=cdr)
    assert answer.status_code == 201
    assert ask(hub, "GET", answer.headers["Location"]).json()["data"] == cdr


def test_faults_happen_when_told_and_then_end(hub: Hub) -> None:
    hub.faults.slow_s = 0
    hub.faults.coming.extend(["429", "500", None, "half-json", "slow"])
    put = [
        ask(hub, "PUT", f"sessions/DE/CPO/S{n}", to="FR/CLI", json={"id": "S"}) for n in range(6)
    ]
    assert [answer.status_code for answer in put] == [429, 500, 201, 201, 201, 201]
    assert put[0].headers["Retry-After"] == "1"
    with pytest.raises(ValueError):
        put[3].json()
    assert hub.faults.committed == ["429", "500", "half-json", "slow"]
    taken = [message.path for message in hub.mailbox.arrived]
    assert taken == [f"DE/CPO/S{n}" for n in (2, 3, 4, 5)]
    assert ask(hub, "GET", hub.versions_url).status_code == 200


def test_faults_at_a_rate() -> None:
    faults = Faults()
    faults.set("500=1")
    assert [faults._next() for _ in range(3)] == ["500"] * 3
    faults.set("500=0")
    assert faults._next() is None
    for wrong in ("x=1", "500=2", "500=many"):
        with pytest.raises(ValueError):
            faults.set(wrong)
    assert set(KINDS) == {"429", "500", "slow", "half-json"}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("start", "say one of"),
        ("dance FR/CLI", "say one of"),
        ("offline XX/XXX", "XX/XXX is not behind this hub; there are: FR/CLI, DE/KUN, NL/MSP"),
        ("stop FR", "FR is not of the form CC/PID"),
        ("fault x", "x is no fault"),
    ],
)
def test_a_wrong_line_is_explained(hub: Hub, loop: Loop, line: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        loop.run(obey(hub, line.split()))


def test_lines_steer_it(hub: Hub, loop: Loop) -> None:
    assert loop.run(obey(hub, ["fault", "500=0.5"])) == "faults: 500 0.5"
    assert loop.run(obey(hub, ["clients"])).splitlines()[0] == "FR/CLI CONNECTED"
    assert os.linesep not in loop.run(obey(hub, ["fault", "429=0"]))
