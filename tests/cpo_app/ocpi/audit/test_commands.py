"""The library audit's rows about the requests of commands and charging profiles.

Every charge point of the subject accepts; what follows an acceptance is tested with Central.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.domain.schemas.samples import AT, evse, location, token
from tests.peers.audit import audit
from tests.peers.subjects import PeerOf, Subject, assert_refused, data_of

from .test_objects import session

RESPONSE_URL = "http://127.0.0.1:9/result"
START = {"response_url": RESPONSE_URL, "token": token(), "location_id": "LOC1"}
PROFILE = {
    "start_date_time": AT,
    "duration": 900,
    "charging_rate_unit": "W",
    "min_charging_rate": 1000.0,
    "charging_profile_period": [{"start_period": 0, "limit": 11000.0}],
}


@pytest.fixture
def peer(subject: Subject) -> PeerOf:
    subject.keep("locations", location(evses=[evse()]))
    subject.keep("sessions", session())
    return subject.peer()


@audit("F005")
def test_a_command_is_answered_with_one_object(peer: PeerOf) -> None:
    answer = data_of(peer.post("commands", "START_SESSION", json=START))
    assert answer["result"] == "ACCEPTED"
    assert answer["timeout"] == 30


@audit("F015")
def test_a_running_command_does_not_block_the_connection(peer: PeerOf) -> None:
    with httpx.Client(headers=peer.headers, timeout=3) as client:
        data_of(client.post(peer.url("commands", "START_SESSION"), json=START))
        assert client.get(peer.endpoint("locations")).status_code == 200


@audit("F019", "F053")
def test_a_connector_needs_its_evse(peer: PeerOf) -> None:
    answer = peer.post("commands", "START_SESSION", json={**START, "connector_id": "1"})
    assert_refused(answer, 2001)


@audit("F019")
def test_a_command_without_its_fields_is_2001(peer: PeerOf) -> None:
    answer = peer.post("commands", "STOP_SESSION", json={"response_url": RESPONSE_URL})
    assert_refused(answer, 2001)


@audit("F054")
def test_an_unknown_command_is_in_an_envelope(peer: PeerOf) -> None:
    assert peer.post("commands", "FOO", json=START).json()["status_code"] in (2000, 2001)


@audit("F076")
def test_a_response_url_that_is_none_is_refused(peer: PeerOf) -> None:
    answer = peer.post("commands", "START_SESSION", json={**START, "response_url": "not a url"})
    assert answer.json()["status_code"] == 2001


@audit("F007", "F008", "F005")
def test_a_charging_profile_of_the_texts_shape_is_accepted(peer: PeerOf) -> None:
    body: dict[str, Any] = {"charging_profile": PROFILE, "response_url": RESPONSE_URL}
    answer = data_of(peer.put("chargingprofiles", "S-1", json=body))
    assert answer["result"] == "ACCEPTED"


@audit("F005")
def test_an_active_profile_is_asked_for_with_one_answer(peer: PeerOf) -> None:
    query = {"duration": 900, "response_url": RESPONSE_URL}
    assert data_of(peer.get("chargingprofiles", "S-1", params=query))["result"] == "ACCEPTED"
