"""OCPP-J frame by frame: what each means, and what goes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpo_app.ocpp.rpc import (
    REMEMBERED,
    Called,
    Failed,
    Ignored,
    Reply,
    Result,
    Rpc,
    Sent,
    Unusable,
)

BOOT = {"chargePointVendor": "Acme", "chargePointModel": "One"}


def frame(*parts: object) -> str:
    return json.dumps(parts)


def said(reply: object) -> Any:
    assert isinstance(reply, Reply)
    return json.loads(reply.frame)


def test_a_call_is_asked_and_answered() -> None:
    rpc = Rpc("ocpp1.6")
    event = rpc.receive(frame(2, "1", "BootNotification", BOOT))
    assert event == Called("1", "BootNotification", BOOT)
    assert json.loads(rpc.result("1", {"status": "Accepted"})) == [3, "1", {"status": "Accepted"}]


def test_the_same_call_again_is_answered_alike_and_asked_once() -> None:
    rpc = Rpc("ocpp1.6")
    call = frame(2, "1", "BootNotification", BOOT)
    rpc.receive(call)
    assert rpc.receive(call) == Ignored("asked twice", "1")
    answer = rpc.result("1", {"status": "Accepted"})
    assert rpc.receive(call) == Reply(answer, "asked twice")
    # The same id for something else is something else: some boxes call all of theirs alike.
    assert isinstance(rpc.receive(frame(2, "1", "Authorize", {"idTag": "A"})), Called)


def test_what_was_refused_or_has_no_payload_is_asked_anew() -> None:
    rpc = Rpc("ocpp1.6")
    call = frame(2, "1", "BootNotification", BOOT)
    rpc.receive(call)
    assert json.loads(rpc.error("1", "InternalError", "no"))[:3] == [4, "1", "InternalError"]
    assert isinstance(rpc.receive(call), Called)
    heartbeat = frame(2, "2", "Heartbeat", {})
    for _ in range(2):
        # The answer is the time, which is another by now.
        assert isinstance(rpc.receive(heartbeat), Called)
        rpc.result("2", {"currentTime": "..."})


def test_only_so_many_answers_are_remembered() -> None:
    rpc = Rpc("ocpp1.6")
    for number in range(REMEMBERED + 1):
        rpc.receive(frame(2, str(number), "Authorize", {"idTag": "A"}))
        rpc.result(str(number), {})
    assert isinstance(rpc.receive(frame(2, "0", "Authorize", {"idTag": "A"})), Called)
    assert isinstance(rpc.receive(frame(2, "9", "Authorize", {"idTag": "A"})), Reply)


def test_one_call_of_ours_at_a_time() -> None:
    rpc = Rpc("ocpp1.6")
    assert json.loads(rpc.start("a", "ClearCache", {})) == [2, "a", "ClearCache", {}]
    with pytest.raises(RuntimeError):
        rpc.start("b", "ClearCache", {})
    assert rpc.receive(frame(3, "b", {})) == Ignored("an answer to nothing", "b")
    assert rpc.receive(frame(3, "a", {"status": "Accepted"})) == Result("a", {"status": "Accepted"})
    assert rpc.idle
    assert rpc.receive(frame(3, "a", {})) == Ignored("an answer to nothing", "a")


def test_a_late_answer_is_a_stray() -> None:
    rpc = Rpc("ocpp1.6")
    rpc.start("a", "ClearCache", {})
    rpc.give_up()
    rpc.start("b", "ClearCache", {})
    assert rpc.receive(frame(3, "a", {})) == Ignored("an answer to nothing", "a")
    assert rpc.outstanding == "b"


@pytest.mark.parametrize(
    ("answer", "event"),
    [
        ((4, "a", "NotSupported", "no", {"x": 1}), Failed("a", "NotSupported", "no", {"x": 1})),
        ((4, "a", "NotSupported"), Failed("a", "NotSupported", "", {})),
        ((4, "a"), Failed("a", "GenericError", "", {})),
        ((3, "a"), Result("a", {})),
        ((3, "a", None), Result("a", {})),
    ],
)
def test_an_answer_with_less_than_the_text_wants_is_one(
    answer: tuple[object, ...], event: object
) -> None:
    rpc = Rpc("ocpp1.6")
    rpc.start("a", "ClearCache", {})
    assert rpc.receive(frame(*answer)) == event


@pytest.mark.parametrize(
    ("sent", "message_id"),
    [
        ("{", "-1"),
        ("{}", "-1"),
        ("[]", "-1"),
        ("[2]", "-1"),
        ('[2, null, "Heartbeat", {}]', "-1"),
        ('["2", "7", "Heartbeat", {}]', "7"),
        ('[2, "7"]', "7"),
        ('[2, "7", "Heartbeat", "text"]', "7"),
        ('[2, "7", 8, {}]', "7"),
    ],
)
def test_what_is_no_message_is_answered_so(sent: str, message_id: str) -> None:
    assert said(Rpc("ocpp1.6").receive(sent))[:3] == [4, message_id, "FormationViolation"]
    assert said(Rpc("ocpp2.0.1").receive(sent))[:3] == [4, message_id, "RpcFrameworkError"]


def test_an_id_that_is_a_number_is_given_back_as_text() -> None:
    assert Rpc("ocpp1.6").receive('[2, 19, "Heartbeat", []]') == Called("19", "Heartbeat", {})


def test_2_1_knows_messages_without_answers() -> None:
    send = frame(6, "1", "NotifyPeriodicEventStream", {"id": 1})
    assert Rpc("ocpp2.1").receive(send) == Sent("1", "NotifyPeriodicEventStream", {"id": 1})
    assert said(Rpc("ocpp2.0.1").receive(send))[:3] == [4, "1", "MessageTypeNotSupported"]
    assert said(Rpc("ocpp1.6").receive(send))[:3] == [4, "1", "NotSupported"]
    unusable = Rpc("ocpp2.1").receive(frame(5, "1", "FormatViolation", "no", {}))
    assert unusable == Unusable("1", "FormatViolation", "no")


PARTS = st.none() | st.integers(0, 9) | st.text(max_size=4) | st.dictionaries(st.text(), st.none())


@given(st.lists(PARTS, max_size=6).map(json.dumps) | st.text() | st.binary())
def test_no_frame_breaks_it(sent: str | bytes) -> None:
    rpc = Rpc("ocpp2.1")
    rpc.start("a", "ClearCache", {})
    event = rpc.receive(sent)
    if isinstance(event, Reply):
        assert json.loads(event.frame)[0] == 4
