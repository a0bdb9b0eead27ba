"""A removal that a peer is sent claims to be newer than whatever it has of the object."""

from __future__ import annotations

from datetime import datetime

import orjson
import pytest

from cpo_app.ocpi.push.requests import removal
from domain.outbox.due_marks import Mark, Present
from domain.times import format_datetime, parse_datetime
from tests.cpo_app.ocpi.push.objects import location

HAD = "2024-05-01T11:00:05.900Z"


def taken_away(at: datetime) -> Mark:
    return Mark(
        id="P/locations/nl/evc/l1",
        peer_id="P",
        module="locations",
        key="nl/evc/l1",
        version="1",
        since=at,
        changed=at,
        whole=True,
        parts=(),
        known=True,
        attempts=0,
        posting=None,
    )


@pytest.mark.parametrize(
    ("at", "sent"),
    [
        ("2024-05-01T11:00:05.950Z", "2024-05-01T11:00:05.950Z"),
        ("2024-05-01T11:00:06Z", "2024-05-01T11:00:06Z"),
        ("2024-05-01T11:00:05.900Z", "2024-05-01T11:00:05.901Z"),
        ("2024-05-01T11:00:05Z", "2024-05-01T11:00:05.901Z"),
    ],
)
def test_it_is_newer_by_a_millisecond_at_least(at: str, sent: str) -> None:
    state = location("L1", at=HAD)
    request = removal(
        "https://emsp.example/locations",
        taken_away(parse_datetime(at)),
        Present(orjson.dumps(state), "", state),
    )
    assert request is not None and request.body is not None
    told = orjson.loads(request.body)
    stamps = {told["last_updated"], *(evse["last_updated"] for evse in told["evses"])}
    assert stamps == {sent}
    assert format_datetime(parse_datetime(sent)) == sent
