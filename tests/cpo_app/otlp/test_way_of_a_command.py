"""One trace from a peer's request over the store and the charge point to its result."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db_interface.database import Database
from tests.conftest import Loop
from tests.cpo_app.ocpi.command_face import CommandFace, token
from tests.cpo_app.otlp.seen_spans import (
    PARENT_ID,
    TRACE_ID,
    TRACEPARENT,
    SeenSpans,
    parent_of,
    trace_of,
)


@pytest.fixture
def world(db: Database, loop: Loop) -> Iterator[CommandFace]:
    world = CommandFace(db, loop)
    yield world
    world.close()


def test_a_start_is_one_trace_to_the_peers_result(world: CommandFace, seen: SeenSpans) -> None:
    emsp = world.emsp()
    body = {
        "response_url": f"{emsp.url}/results/77",
        "token": token(),
        "location_id": "site-1",
        "evse_uid": "CP-001",
    }
    headers = {"traceparent": TRACEPARENT}
    answer = emsp.side.post("commands/START_SESSION", json=body, headers=headers)
    assert answer.json()["data"]["result"] == "ACCEPTED"
    world.settle()

    asked = seen.named("POST /ocpi/cpo/2.2.1/commands/START_SESSION")
    carried_out = seen.named("carry out START_SESSION")
    brought = seen.named("bring result of START_SESSION")
    sent = seen.named("POST commands")
    spans = (asked, carried_out, brought, sent)
    assert {trace_of(span) for span in spans} == {TRACE_ID}
    own = f"{asked.context.span_id:016x}"
    above = [parent_of(span) for span in spans]
    assert above == [PARENT_ID, own, own, f"{brought.context.span_id:016x}"]
    assert (asked.attributes or {})["cpo.peer_id"] == emsp.side.peer_id
    [told] = emsp.told
    assert told.headers["traceparent"] == f"00-{TRACE_ID}-{sent.context.span_id:016x}-01"


def test_without_a_collector_nothing_is_passed_on(world: CommandFace) -> None:
    emsp = world.emsp()
    emsp.start(token=token(), evse_uid="CP-001")
    world.settle()
    [told] = emsp.told
    assert "traceparent" not in told.headers
