"""Every exchange with a peer is recorded, whoever began it and however it ended."""

from __future__ import annotations

import httpx
import pytest

from auth.credentials_header import encoded
from cpo_app.ocpi.peer_client.client import PeerClient, PeerUnusable
from domain.exchanges import listing
from domain.exchanges.exchange import Direction, Exchange, Subject
from domain.exchanges.recorder import Recorder
from domain.exchanges.search_keys import Wanted
from tests.cpo_app.ocpi.conftest import Face
from tests.domain.schemas.samples import location
from tests.peers.emsp import Emsp
from tests.serving import free_port


def only(exchanges: list[Exchange]) -> Exchange:
    assert len(exchanges) == 1
    return exchanges[0]


def test_a_page_that_a_peer_reads(face: Face) -> None:
    face.keep_locations(location(id="LOC1"))
    side = face.connected("DE*TNM")
    answer = side.get("locations?limit=5", headers={"X-Correlation-ID": "complaint-7"})
    one = only(face.exchanges())
    assert one["peer_id"] == side.peer_id
    assert (one["direction"], one["method"], one["module"]) == ("in", "GET", "locations")
    assert one["url"] == "/ocpi/cpo/2.2.1/locations?limit=5"
    assert (one["status"], one["ocpi_status"], one["outcome"]) == (200, 1000, "ok")
    assert (one["version"], one["correlation_id"]) == ("2.2.1", "complaint-7")
    assert one["request_id"] == answer.headers["x-request-id"]
    assert one["response"]["size"] == len(answer.content)
    assert answer.text.startswith(one["response"]["body"])
    assert "x-total-count: 1" in one["response"]["head"]
    assert one["took_ms"] > 0


def test_what_is_read_and_well_is_routine_one_object_as_a_page(
    face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[bool] = []

    def leaves_out(_recorder: Recorder, *, routine: bool) -> bool:
        judged.append(routine)
        return False

    monkeypatch.setattr(Recorder, "leaves_out", leaves_out)
    face.keep_locations(location(id="LOC1"))
    side = face.connected("DE*TNM")
    for path in ("locations", "locations/LOC1", "locations/NONE", "locations?limit=x"):
        side.get(path)
    side.put("tokens/DE/TNM/CARD-123456", json={"uid": "CARD-123456"})
    face.exchanges()  # after the loop's next turn: each is judged when it has been answered
    assert judged == [True, True, False, False, False]


def test_a_body_that_a_peer_sends_and_what_it_is_told(face: Face) -> None:
    side = face.connected("DE*TNM")
    answer = side.put("tokens/DE/TNM/CARD-123456", json={"uid": "CARD-123456"})
    one = only(face.exchanges())
    assert (one["status"], one["ocpi_status"], one["outcome"]) == (200, 2001, "refused")
    assert one["request"]["body"] == '{"uid":"…3456"}'
    assert one["response"]["body"] == answer.text
    found, _ = face.loop.run(
        listing.listed(face.store.db, Wanted(peer_id=side.peer_id, status="2001"), limit=5)
    )
    assert [row["id"] for row in found] == [one["_id"]]


def test_a_stranger_who_is_refused(face: Face) -> None:
    httpx.get(f"{face.ocpi}//versions", headers={"Authorization": "Token nobody-knows-it"})
    httpx.get(f"{face.ocpi}/docs")
    one = only(face.exchanges())
    assert (one["peer_id"], one["status"], one["module"]) == (None, 401, "versions")
    assert one["address"] == "127.0.0.1"


def test_a_handshake_that_the_peer_begins(face: Face, emsp: Emsp) -> None:
    peer_id, token_a = face.invite()
    headers = {"Authorization": encoded(token_a)}
    httpx.post(face.module("credentials"), headers=headers, json=emsp.credentials())
    rows = face.exchanges()
    assert {(row["direction"], row["module"], row["peer_id"]) for row in rows} == {
        ("out", "versions", peer_id),
        ("in", "credentials", peer_id),
    }


def test_a_handshake_that_we_begin(face: Face, emsp: Emsp) -> None:
    connected = face.loop.run(face.joining.connect(emsp.versions_url, "token-a-0000001"))
    post = only([row for row in face.exchanges() if row["method"] == "POST"])
    assert (post["direction"], post["module"]) == ("out", "credentials")
    assert post["peer_id"] == connected.peer_id
    assert '"token":"(redacted)"' in post["request"]["body"]
    assert '"token":"(redacted)"' in post["response"]["body"]


def test_a_request_that_no_peer_answers(face: Face) -> None:
    async def ask() -> None:
        client = PeerClient(allow_private=True, recorder=face.recorder)
        about = Subject("peer-x", "sessions", "2.2.1", ("S-1",))
        url = f"http://127.0.0.1:{free_port()}/s/NL/EVC/S-1"
        try:
            await client.request("PUT", url, token="t" * 20, body=b'{"id":"S-1"}', about=about)
        except PeerUnusable:
            await client.aclose()
            return
        raise AssertionError("somebody answered")

    face.loop.run(ask())
    one = only(face.exchanges())
    assert (one["status"], one["outcome"]) == (None, "failed")
    assert one["error"] == "the peer cannot be reached"
    assert one["request"]["body"] == '{"id":"S-1"}'
    found, _ = face.loop.run(
        listing.listed(face.store.db, Wanted(object="s-1", direction=Direction.OUT), limit=5)
    )
    assert len(found) == 1
