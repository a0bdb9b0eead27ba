"""What is read quickly is what wire.py reads; whatever is odd is left to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpo_app.central.meter_bodies import meters_of
from cpo_app.central.wire import TelemetryBody
from tests.clock import Clock
from tests.cpo_app.central.conftest import meter, state

AT = Clock().at.isoformat()


def reading(seq: Any = 5, **changes: Any) -> dict[str, Any]:
    return {**meter(seq), "session_id": "s-1", "at": AT, "register_wh": 5000, **changes}


def body(*messages: object, **changes: Any) -> dict[str, Any]:
    return {"cp_id": "CP-001", "boot_id": "boot-1", "messages": list(messages), **changes}


@pytest.mark.parametrize(
    "told",
    [
        body(reading()),
        body(reading(1), reading(2, soc=57.5, limit_w=11_000), sent_at=AT),
        body(reading(power_w=0, soc=None, at="2026-05-01T12:00:00Z"), sent_at=None),
        body(reading(at="2026-05-01T12:00:00"), boot_id="ü" * 128),
    ],
)
def test_what_engines_send_is_read_at_once_and_alike(told: dict[str, Any]) -> None:
    quick, whole = meters_of(told), TelemetryBody.parse_obj(told)
    assert quick == whole
    assert quick is not None
    for one, other in zip(quick.messages, whole.messages, strict=True):
        assert type(one) is type(other)
        assert list(vars(one).items()) == list(vars(other).items())
        assert [type(value) for value in vars(one).values()] == [
            type(value) for value in vars(other).values()
        ]


@pytest.mark.parametrize(
    "told",
    [
        body(reading(seq="5")),
        body(reading(energy_wh="1.5")),
        body(reading(phases=True)),
        body(reading(extra=1)),
        body(reading(1), reading(1)),
        body(state(1, "AVAILABLE"), reading(2)),
        body(reading(at=1_700_000_000)),
        body(reading(power_w=float("nan"))),
        body(reading(power_w=-1)),
        body(reading(), cp_id="no such id"),
        body(reading(), more=1),
        body(),
        [],
    ],
)
def test_whatever_is_odd_is_left_to_the_whole_reading(told: object) -> None:
    assert meters_of(told) is None


ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=140),
    st.sampled_from(["meter", "state", AT, "5", [], {}, 2**53, 2**53 + 1, 1e12, 1.1e12, 0, 100]),
)


@given(
    of_message=st.dictionaries(st.sampled_from([*reading(), "soc", "limit_w"]), ODD, max_size=3),
    of_body=st.dictionaries(st.sampled_from(["cp_id", "boot_id", "sent_at"]), ODD, max_size=1),
    left_out=st.sets(st.sampled_from([*reading()]), max_size=1),
)
def test_it_reads_nothing_otherwise_than_it_is_read(
    of_message: dict[str, Any], of_body: dict[str, Any], left_out: set[str]
) -> None:
    message = {**reading(), **of_message}
    told = body({name: message[name] for name in message if name not in left_out}, **of_body)
    quick = meters_of(told)
    if quick is not None:
        whole = TelemetryBody.parse_obj(told)  # raises where it must not be taken
        assert repr(quick) == repr(whole)
