"""The life of one EVSE on a fake clock."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cpo_app.charge_point.evse import LOCK_FAULT, Result
from cpo_app.charge_point.profile import ChargingLimit
from cpo_app.charge_point.session import Reservation
from cpo_app.charge_point.states import IN_SESSION, Refused, State
from tests.cpo_app.charge_point.worlds import NOON, Story
from tests.drawn import drawn


def limit(watts: float, story: Story, **more: Any) -> ChargingLimit:
    data = {"unit": "W", "periods": [{"start_s": 0, "limit": watts}], **more}
    return ChargingLimit.parse(data, relative_to=story.clock.now())


def reservation(story: Story, minutes: float = 10, name: str = "R1") -> Reservation:
    return Reservation(name, "card-1", story.clock.now() + timedelta(minutes=minutes))


def test_a_remote_start_delivers_at_once_and_the_simulated_car_leaves_after_the_stop() -> None:
    story = Story()
    assert story.evse.start("S1", "remote", id_tag="card-1") is Result.ACCEPTED
    assert story.evse.state is State.CHARGING
    assert story.messages == [
        (
            "session_started",
            {
                "session_id": "S1",
                "connector_id": "1",
                "register_wh": 0.0,
                "id_tag": "card-1",
                "source": "remote",
            },
        ),
        (
            "meter",
            {
                "connector_id": "1",
                "session_id": "S1",
                "energy_wh": 0.0,
                "register_wh": 0.0,
                "power_w": 22_000,
                "current_a": 31.88,
                "voltage_v": 230,
                "phases": 3,
            },
        ),
        (
            "state",
            {
                "connector_id": "1",
                "state": "CHARGING",
                "ev_state": "plugged",
                "session_id": "S1",
            },
        ),
    ]

    story.pass_time(36)
    assert story.last("meter")["energy_wh"] == pytest.approx(220)

    story.messages.clear()
    assert story.evse.stop("S1", "remote") is Result.ACCEPTED
    assert story.kinds() == ["meter", "session_stopped", "state"]
    assert story.last("session_stopped") == {
        "session_id": "S1",
        "connector_id": "1",
        "register_wh": 220.0,
        "energy_wh": 220.0,
        "reason": "remote",
        "signed_data": None,
    }
    assert story.evse.state is State.FINISHING
    story.pass_time(3)
    assert story.evse.state is State.AVAILABLE
    assert story.last("state") == {
        "connector_id": "1",
        "state": "AVAILABLE",
        "ev_state": "unplugged",
    }


def test_the_meter_counts_each_stretch_under_its_own_limit() -> None:
    story = Story()
    story.evse.start("S1", "remote")
    story.pass_time(1800)
    assert story.evse.set_limit("S1", limit(11_000, story)) is Result.ACCEPTED
    # The limit shows at once, not with the next interval.
    assert story.last("meter")["power_w"] == 11_000
    assert story.last("meter")["limit_w"] == 11_000
    story.pass_time(1800)
    assert story.last("meter")["energy_wh"] == pytest.approx(11_000 + 5_500)


def test_a_limit_that_changes_between_two_ticks_counts_to_the_second() -> None:
    story = Story()
    story.evse.start("S1", "remote")
    periods = [{"start_s": 0, "limit": 3600}, {"start_s": 10, "limit": 7200}]
    profile = {"unit": "W", "periods": periods, "duration_s": 20}
    story.evse.set_limit("S1", ChargingLimit.parse(profile, relative_to=NOON))
    story.pass_time(30)
    assert story.evse.energy_wh() == pytest.approx(10 + 20 + 22_000 / 360)


def test_a_corrected_wall_clock_changes_no_energy() -> None:
    story = Story()
    story.evse.start("S1", "remote")
    story.clock.now = lambda: NOON - timedelta(days=1)  # type: ignore[method-assign]
    story.pass_time(3600)
    assert story.evse.energy_wh() == pytest.approx(22_000)


def test_limit_zero_suspends_and_lifting_it_resumes() -> None:
    story = Story()
    story.evse.start("S1", "remote")
    story.evse.set_limit("S1", limit(0, story))
    assert story.evse.state is State.SUSPENDED
    story.pass_time(3600)
    assert story.last("meter")["energy_wh"] == 0
    story.evse.set_limit("S1", None)
    assert story.evse.state is State.CHARGING
    assert "limit_w" not in story.last("meter")


def test_a_limit_is_for_its_own_session_only() -> None:
    story = Story()
    story.evse.start("S1", "remote")
    assert story.evse.set_limit("S2", limit(0, story)) is Result.UNKNOWN_SESSION
    assert story.evse.state is State.CHARGING
    story.evse.stop("S1", "remote")
    story.evse.start("S2", "remote")
    assert story.evse.power_w() == 22_000


def test_a_dc_car_tapers_tells_its_soc_and_suspends_when_full() -> None:
    story = Story(dc=True, soc=0.79)
    story.evse.start("S1", "remote")
    assert story.last("meter")["soc"] == 79.0
    powers = []
    for _ in range(30):
        story.pass_time(60)
        powers.append(story.last("meter")["power_w"])
    story.pass_time(24 * 3600)
    assert powers[0] > powers[-1] > 0
    assert story.last("meter")["soc"] == 100.0
    assert story.evse.state is State.SUSPENDED
    assert story.evse.energy_wh() == pytest.approx(60_000 * 0.21)


def test_it_can_be_told_to_stop_when_full() -> None:
    story = Story(soc=0.99, stop_when_full=True)
    story.evse.start("S1", "remote")
    story.pass_time(24 * 3600)
    assert story.last("session_stopped")["reason"] == "full"
    assert story.evse.session is None


def test_speed_makes_energy_grow_faster_and_leaves_power_alone() -> None:
    story = Story()
    story.evse.set_speed(60)
    story.evse.start("S1", "remote")
    story.pass_time(60)
    assert story.last("meter")["energy_wh"] == pytest.approx(22_000)
    assert story.last("meter")["power_w"] == 22_000


def test_a_card_start_waits_for_its_car_and_gives_up_in_time() -> None:
    story = Story()
    assert story.evse.start("S1", "local", id_tag="card-1") is Result.ACCEPTED
    assert story.evse.state is State.PREPARING
    assert story.evse.start("S2", "remote") is Result.OCCUPIED
    story.evse.plug()
    assert story.evse.state is State.CHARGING
    story.evse.unplug()
    assert story.last("session_stopped")["reason"] == "unplugged"

    story.evse.start("S3", "local")
    story.pass_time(61)
    assert story.evse.state is State.AVAILABLE
    assert story.last("session_stopped")["reason"] == "timeout"
    assert story.last("session_stopped")["energy_wh"] == 0
    assert "S3" not in [m["session_id"] for k, m in story.messages if k == "session_started"]


def test_the_same_start_again_is_the_same_session() -> None:
    story = Story()
    story.evse.start("S1", "remote")
    assert story.evse.start("S1", "remote") is Result.ACCEPTED
    assert story.kinds().count("session_started") == 1
    assert story.evse.start("S2", "remote") is Result.OCCUPIED


def test_stopping_what_does_not_run_is_told() -> None:
    story = Story()
    assert story.evse.stop("S1", "remote") is Result.UNKNOWN_SESSION
    story.evse.start("S1", "remote")
    story.evse.stop("S1", "remote")
    assert story.evse.stop("S1", "remote") is Result.UNKNOWN_SESSION
    assert story.kinds().count("session_stopped") == 1


def test_a_reservation_admits_its_token_only_and_expires() -> None:
    story = Story()
    assert story.evse.reserve(reservation(story)) is Result.ACCEPTED
    assert story.evse.state is State.RESERVED
    assert story.evse.start("S1", "remote", id_tag="card-2") is Result.RESERVED
    assert story.evse.reserve(reservation(story, name="R2")) is Result.RESERVED
    assert story.evse.reserve(reservation(story, minutes=20)) is Result.ACCEPTED
    story.pass_time(15 * 60)
    assert story.evse.state is State.RESERVED
    story.pass_time(6 * 60)
    assert story.evse.state is State.AVAILABLE

    story.evse.reserve(reservation(story))
    assert story.evse.start("S1", "remote", id_tag="CARD-1") is Result.ACCEPTED
    story.evse.stop("S1", "remote")
    story.pass_time(10)
    # Used, so it is gone.
    assert story.evse.state is State.AVAILABLE


def test_a_named_reservation_admits_the_group_and_can_be_cancelled() -> None:
    story = Story()
    story.evse.reserve(reservation(story))
    assert story.evse.cancel_reservation("R9") is Result.UNKNOWN_RESERVATION
    assert story.evse.cancel_reservation("R1") is Result.ACCEPTED
    assert story.evse.state is State.AVAILABLE
    assert story.evse.reserve(reservation(story, minutes=-1)) is Result.REJECTED
    story.evse.reserve(reservation(story))
    started = story.evse.start("S1", "remote", id_tag="card-7", reservation_id="R1")
    assert started is Result.ACCEPTED


def test_a_session_at_another_connector_leaves_none_reported_busy() -> None:
    story = Story()
    story.evse.reserve(reservation(story))
    assert story.last("state")["connector_id"] == "1"
    story.evse.start("S1", "remote", id_tag="card-1", connector_id="2")
    latest = {fields["connector_id"]: fields for kind, fields in story.messages if kind == "state"}
    assert latest["1"] == {"connector_id": "1", "state": "AVAILABLE", "ev_state": "unplugged"}
    assert latest["2"]["state"] == "CHARGING"
    story.evse.stop("S1", "remote")
    story.pass_time(3)
    assert story.last("state")["connector_id"] == "2"
    assert story.last("state")["state"] == "AVAILABLE"


def test_a_fault_ends_the_session_and_blocks_until_it_is_cleared() -> None:
    story = Story()
    story.evse.plug()
    story.evse.start("S1", "remote")
    story.evse.fault("GROUND_FAILURE", "leak")
    story.evse.fault("OVER_TEMPERATURE")
    assert story.last("session_stopped")["reason"] == "fault"
    assert story.last("state")["error_code"] == "GROUND_FAILURE"
    assert story.evse.start("S2", "remote") is Result.FAULT
    assert story.evse.reserve(reservation(story)) is Result.FAULT
    story.evse.clear_fault("GROUND_FAILURE")
    assert story.evse.state is State.FAULTED
    story.evse.clear_fault()
    assert story.evse.state is State.PREPARING
    assert "error_code" not in story.last("state")


def test_out_of_service_waits_for_the_running_session() -> None:
    story = Story()
    story.evse.start("S1", "remote")
    story.evse.set_operative(False)
    assert story.evse.state is State.CHARGING
    story.evse.stop("S1", "remote")
    assert story.evse.state is State.INOPERATIVE
    assert story.evse.start("S2", "remote") is Result.INOPERATIVE
    story.pass_time(10)
    story.evse.set_operative(True)
    assert story.evse.state is State.AVAILABLE


def test_unlock_ends_the_session_unless_the_lock_is_stuck() -> None:
    story = Story()
    story.evse.start("S1", "remote")
    assert story.evse.unlock() is Result.ACCEPTED
    assert story.last("session_stopped")["session_id"] == "S1"
    story.evse.fault(LOCK_FAULT)
    assert story.evse.unlock() is Result.UNLOCK_FAILED


def test_a_restart_resumes_session_limit_and_register() -> None:
    story = Story()
    story.evse.start("S1", "remote", id_tag="card-1", connector_id="2")
    story.evse.set_limit("S1", limit(7_200, story))
    story.pass_time(100)
    memory = json.loads(json.dumps(story.evse.as_dict()))

    after = Story()
    after.clock.turn(100_000)
    after.evse.restore(memory)
    after.evse.report()
    assert after.kinds() == ["state"]
    assert after.last("state")["session_id"] == "S1"
    assert after.last("state")["connector_id"] == "2"
    after.pass_time(100)
    assert after.last("meter")["energy_wh"] == pytest.approx(400)
    assert after.last("meter")["power_w"] == 7_200
    after.evse.stop("S1", "remote")
    after.pass_time(3)
    assert after.evse.state is State.AVAILABLE


def test_a_memory_that_contradicts_itself_is_refused() -> None:
    story = Story()
    memory = {**story.evse.as_dict(), "state": "CHARGING"}
    with pytest.raises(ValueError, match="do not fit"):
        Story().evse.restore(memory)


class AnyLife(RuleBasedStateMachine):
    """Whatever happens in whatever order, the EVSE keeps its promises."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.evse = self.story.evse
        self.register_wh = 0.0

    @rule(session=st.sampled_from(["S1", "S2"]), source=st.sampled_from(["remote", "local"]))
    def start(self, session: str, source: str) -> None:
        self.evse.start(session, source, id_tag="card-1")

    @rule(session=st.sampled_from(["S1", "S2"]))
    def stop(self, session: str) -> None:
        self.evse.stop(session, "remote")

    @rule()
    def plug(self) -> None:
        self._or_refused(self.evse.plug)

    @rule()
    def unplug(self) -> None:
        self._or_refused(self.evse.unplug)

    @rule()
    def fault(self) -> None:
        self.evse.fault("X")

    @rule()
    def clear_fault(self) -> None:
        self._or_refused(self.evse.clear_fault)

    @rule(operative=st.booleans())
    def set_operative(self, operative: bool) -> None:
        self.evse.set_operative(operative)

    @rule()
    def reserve(self) -> None:
        self.evse.reserve(reservation(self.story))

    @rule()
    def cancel(self) -> None:
        self.evse.cancel_reservation("R1")

    @rule()
    def unlock(self) -> None:
        self.evse.unlock()

    @rule(watts=st.sampled_from([0.0, 5000.0]))
    def limit(self, watts: float) -> None:
        self.evse.set_limit("S1", limit(watts, self.story))

    @rule(seconds=st.sampled_from([1.0, 5.0, 100.0, 10_000.0]))
    def wait(self, seconds: float) -> None:
        self.story.pass_time(seconds)

    @rule()
    def restart(self) -> None:
        memory = json.loads(json.dumps(self.evse.as_dict()))
        self.story.evse = self.evse = type(self.evse)(
            self.evse.meter.supply, self.evse.config, self.story.clock, self.story._hear
        )
        self.evse.restore(memory)
        self.evse.report()

    @staticmethod
    def _or_refused(action: Any) -> None:
        try:
            action()
        except Refused:
            return

    @invariant()
    def state_and_facts_agree(self) -> None:
        evse = self.evse
        running = evse.session is not None and evse.session.started_at is not None
        assert running == (evse.state in IN_SESSION)
        assert not running or evse.car is not None
        assert bool(evse.faults) == (evse.state is State.FAULTED)
        if evse.state is State.AVAILABLE:
            assert evse.operative
            assert (evse.car, evse.session, evse.reservation) == (None, None, None)
        if not evse.operative:
            assert running or evse.state in (State.INOPERATIVE, State.FAULTED)

    @invariant()
    def sessions_begin_and_end_once_and_the_register_never_falls(self) -> None:
        assert self.evse.meter.register_wh >= self.register_wh
        self.register_wh = self.evse.meter.register_wh
        open_session = None
        for kind, fields in self.story.messages:
            if kind == "session_started":
                assert open_session is None
                open_session = fields["session_id"]
            elif kind == "meter":
                assert fields["session_id"] == open_session
            elif kind == "session_stopped" and open_session is not None:
                assert fields["session_id"] == open_session
                open_session = None

    @invariant()
    def the_last_report_is_the_truth(self) -> None:
        states = [fields for kind, fields in self.story.messages if kind == "state"]
        if states:
            assert states[-1] == self.evse.status()


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = hypothesis_settings(max_examples=drawn(25), stateful_step_count=30)
