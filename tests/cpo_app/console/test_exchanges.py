"""The pages of exchanges with peers: looked for, shown, handed on, and not for every role."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from domain.commands import command_queue
from domain.commands.command_queue import Command
from domain.exchanges.document import Bounds
from domain.exchanges.exchange import EXCHANGES, Direction, Subject
from domain.exchanges.recorder import Recorder, Rules
from domain.operators.actor import Role
from tests.cpo_app.console.test_roles import visit_of
from tests.cpo_app.console.worlds import EVIL, VAULT, Night
from tests.domain.exchanges.samples import seen


@pytest.fixture
def recorded(night: Night) -> Night:
    """A session that a peer was sent in vain, a page that it has read, and a stranger."""
    night.loop.run(EXCHANGES.of(night.db).delete_many({}))  # another test's of this night
    recorder = Recorder(night.db, Rules(True, Bounds(16_000, 1_000)), VAULT.digest)
    peer = night.peer_id
    recorder.take(
        seen(subject=Subject(peer, "locations"), url="/ocpi/cpo/2.2.1/locations?offset=0")
    )
    recorder.take(
        seen(
            direction=Direction.OUT,
            method="PUT",
            url=f"https://peer.example/sessions/NL/EVC/{night.running}",
            subject=Subject(peer, "sessions"),
            status=500,
            request={"id": night.running, "note": EVIL},
            response=EVIL.encode(),
            correlation_id="complaint-7",
        )
    )
    recorder.take(seen(subject=Subject(), status=401, address="203.0.113.7"))
    night.loop.run(recorder.write())
    return night


def test_from_the_complaint_to_the_exchange(recorded: Night) -> None:
    visit = visit_of(recorded, Role.OPERATOR)
    text = visit.get(f"/console/exchanges?object={recorded.running}").text
    (found,) = set(re.findall(r"/console/exchanges/([0-9a-f]{22})", text))
    page = visit.get(f"/console/exchanges/{found}").text
    assert "complaint-7" in page and "HTTP 500" in page
    assert EVIL not in page and "&lt;script&gt;" in page
    for query, number in (
        ("", 3),
        (f"peer={recorded.peer_id}", 2),
        ("module=locations&direction=in", 1),
        ("status=500", 1),
        ("correlation=complaint-7", 1),
        ("from=2099-01-01", 0),
        ("to=2000-01-01 12:00", 0),
    ):
        listed = visit.get(f"/console/exchanges?{query}").text
        assert len(set(re.findall(r"/console/exchanges/([0-9a-f]{22})", listed))) == number, query


def test_what_cannot_be_looked_for_is_said(recorded: Night) -> None:
    visit = visit_of(recorded, Role.OPERATOR)
    for query in ("status=200", "module=none", "direction=up", "from=yesterday", "cursor=x"):
        answer = visit.get(f"/console/exchanges?{query}")
        assert answer.status_code == 400
        assert f"{query.partition('=')[0]}: is n" in answer.text or "status: is" in answer.text
    assert visit.get("/console/exchanges/0").status_code == 404
    assert visit.get("/console/commands/none").status_code == 404


def test_what_is_looked_for_can_be_handed_on(recorded: Night) -> None:
    visit = visit_of(recorded, Role.OPERATOR)
    answer = visit.get("/console/exchanges.har?module=sessions&status=failed")
    assert "exchanges.har" in answer.headers["content-disposition"]
    (entry,) = answer.json()["log"]["entries"]
    assert entry["_correlationId"] == "complaint-7"


def test_peers_and_objects_lead_to_their_exchanges(recorded: Night) -> None:
    visit = visit_of(recorded, Role.OPERATOR)
    peer = f"/console/exchanges?peer={recorded.peer_id}"
    assert peer in visit.get(f"/console/peers/{recorded.peer_id}").text
    session = visit.get(f"/console/objects/sessions?key=nl/evc/{recorded.running}").text
    assert f"/console/exchanges?object={recorded.running}" in session


def test_an_exchange_leads_to_what_it_is_about(recorded: Night) -> None:
    """And to its peer: from a complaint to the exchange, and on to the thing, in three clicks."""
    visit = visit_of(recorded, Role.OPERATOR)
    peer = visit.get(f"/console/peers/{recorded.peer_id}").text
    listed = visit.get(f"/console/exchanges?object={recorded.running}").text
    (one, *_) = re.findall(r'href="(/console/exchanges/[0-9a-f]{22})"', listed)
    page = visit.get(one).text
    assert f'href="/console/sessions/{recorded.running}"' in page
    assert f'href="/console/peers/{recorded.peer_id}"' in page
    assert re.search(r'href="/console/exchanges/[0-9a-f]{22}"', peer)


def test_viewers_see_none_of_it(recorded: Night) -> None:
    visit = visit_of(recorded, Role.VIEWER)
    for path in ("/console/exchanges", "/console/exchanges/0", "/console/exchanges.har"):
        assert visit.get(path).status_code == 403
    for path in ("/", f"/console/peers/{recorded.peer_id}"):
        assert "/console/exchanges" not in visit.get(path).text


def test_a_command_shows_its_way(recorded: Night) -> None:
    night = recorded
    recorder = Recorder(night.db, Rules(True, Bounds(16_000, 1_000)), VAULT.digest)

    async def keep() -> Command:
        also: Command = {
            "peer_id": night.peer_id,
            "session_id": night.ended,
            "content": {},
            "delivery": {
                "peer_id": night.peer_id,
                "method": "POST",
                "url": "https://peer.example/back",
                "correlation_id": "start-7",
                "from_party": ["NL", "EVC"],
                "to_party": ["NL", "TNM"],
            },
        }
        deadline = night.db.now() + timedelta(seconds=30)
        return await night.store.transact(
            lambda tx: command_queue.add(
                tx, "START_SESSION", cp_id="CP-001", deadline=deadline, also=also
            )
        )

    command = night.loop.run(keep())
    recorder.take(
        seen(method="POST", url="/ocpi/cpo/2.2.1/commands/START_SESSION", correlation_id="start-7")
    )
    recorder.take(
        seen(
            direction=Direction.OUT,
            method="POST",
            url="https://peer.example/back",
            subject=Subject(night.peer_id, "commands", "2.2.1", (command["_id"],)),
            request={"result": "ACCEPTED"},
            correlation_id="start-7",
        )
    )
    night.loop.run(recorder.write())
    page = visit_of(night, Role.OPERATOR).get(f"/console/commands/{command['_id']}").text
    for said in (
        "the peer asked us",
        "POST /ocpi/cpo/2.2.1/commands/START_SESSION: HTTP 200, OCPI 1000",
        "START_SESSION for charge point CP-001",
        "we told the peer",
        "the session began",
        "the session ended",
        f"nl/evc/{night.ended}",
    ):
        assert said in page, said
