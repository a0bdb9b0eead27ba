"""The bench itself: a miniature run works, its goals name real figures, a miss is told as one."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import exchanges, fleet, lookup, ocpp, open_data, push, reading
from bench.__main__ import figures, sets
from bench.fleet.side import Scale as FleetScale
from bench.goals import MISSED, NO_GOAL, REACHED, Goal
from bench.measuring import passed_over
from bench.processes import generating
from bench.reading import Scale, staged
from cpo_app.quick_imports import YOUNG_OBJECTS

ROOT = Path(__file__).parents[2]
MINIATURE = Scale(locations=120, rounds=1, slice_s=0.2, crawl_parts=1)


@pytest.fixture(autouse=True)
def _on_the_tests_mongod(mongo_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CPO_MONGO_URL", mongo_url)


@pytest.mark.processes
def test_a_miniature_run_measures_every_figure_that_has_a_goal() -> None:
    measured = reading.run(scale=MINIATURE)
    assert set(reading.GOALS) <= set(measured)
    assert not any(value <= 0 for value in measured.values())
    assert measured["x_pages"] > 5, "ours is not even near its goal"


@pytest.mark.processes
def test_a_miniature_push_arrives_beside_dead_peers() -> None:
    measured = push.run(scale=push.Scale(backlog=20, seconds=0.2))
    assert set(push.GOALS) <= set(measured)
    assert not any(value <= 0 for value in measured.values())


@pytest.mark.processes
def test_open_data_in_miniature_is_read_and_follows_changes() -> None:
    scale = open_data.Scale(locations=60, readings=1, unchanged=2, changes=20)
    measured = open_data.run(scale=scale)
    assert set(open_data.GOALS) <= set(measured)
    assert not any(value < 0 for value in measured.values())


@pytest.mark.processes
def test_a_miniature_record_is_kept_and_searched() -> None:
    scale = exchanges.Scale(locations=60, rounds=1, slice_s=0.2, at_once=200, parts=2, burst=1)
    measured = exchanges.run(scale=scale)
    assert set(exchanges.GOALS) <= set(measured)
    assert measured["exchanges"] == 400


@pytest.mark.processes
def test_a_miniature_fleet_lives_and_charges() -> None:
    scale = FleetScale(
        idle=20,
        coming_back=30,
        interval_s=2,
        idle_for_s=1,
        real=8,
        charging=4,
        charging_for_s=1,
        starts=2,
        authentications=8,
        sessions_at_once=2,
        sessions_for_s=0.5,
        changing=4,
        settle_s=0.2,
    )
    measured = fleet.run(scale=scale)
    assert set(fleet.GOALS) <= set(measured)
    assert measured["idle_answered_share"] == 1
    assert measured["idle_unknown"] == measured["unknown_after_restart"] == 0
    assert measured["sessions_per_s"] > 0


@pytest.mark.processes
def test_a_miniature_fleet_over_ocpp_comes_back_and_charges() -> None:
    scale = ocpp.Scale(
        connected=12,
        idle_for_s=0.5,
        heartbeat_s=10,
        charging=3,
        sample_s=1,
        charging_for_s=2,
        changing=4,
        changes_per_s=2,
        starts_per_s=3,
        starting=2,
        settle_s=0.2,
    )
    measured = ocpp.run(scale=scale)
    assert set(ocpp.GOALS) <= set(measured)
    assert measured["idle_connected_share"] == 1
    assert measured["readings_per_s"] > 0
    assert measured["back_after_restart_s"] < 60


@pytest.mark.processes
def test_an_answer_other_than_200_is_no_measurement() -> None:
    with staged(Scale(locations=1)) as stage, generating() as generator:
        with pytest.raises(RuntimeError, match="ours: 3 answers were not 200"):
            generator.send(stage.ours, ["/ocpi/versions"] * 3, {}, connections=2)
        told = generator.send(stage.ours, ["/ocpi/versions"] * 3, stage.headers, connections=2)
    assert told["answers"] == 3
    assert told["bytes"] > 3 * 100


def test_the_runner_finds_the_sets_by_their_run() -> None:
    assert {"reading", "lookup"} <= set(sets())
    assert "bare" not in sets()
    assert set(lookup.GOALS) == {"token_look_up_many_of_few"}


@pytest.mark.parametrize(
    ("goal", "measured", "verdict"),
    [
        (Goal(at_least=100), 100.0, REACHED),
        (Goal(at_least=100), 99.9, MISSED),
        (Goal(at_most=1.3), 1.3, REACHED),
        (Goal(at_most=1.3), 1.31, MISSED),
        (Goal(), 7.0, NO_GOAL),
        (Goal(at_least=1), float("nan"), MISSED),
    ],
)
def test_a_figure_reaches_its_goal_or_misses_it(goal: Goal, measured: float, verdict: str) -> None:
    assert goal.verdict(measured) == verdict


def test_a_row_tells_goal_and_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "run", lambda: {"token_look_up_many_of_few": 2.0})
    assert figures(lookup, quick=True) == [
        {
            "figure": "token_look_up_many_of_few",
            "measured": 2.0,
            "goal": "<= 1.25",
            "verdict": MISSED,
            "why": lookup.GOALS["token_look_up_many_of_few"].why,
        }
    ]


@pytest.mark.processes
def test_the_command_ends_with_0_and_writes_its_figures(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    command = [sys.executable, "-m", "bench", "--quick", "--json", str(file), "lookup"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stderr
    assert "token_look_up" in ended.stdout
    (row,) = [row for row in json.loads(file.read_text())["sets"]["lookup"] if row["goal"]]
    assert row["verdict"] in (REACHED, MISSED)


def test_what_whoever_measures_has_is_not_looked_through_while_it_measures() -> None:
    thresholds = gc.get_threshold()
    with passed_over():
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] == YOUNG_OBJECTS
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == thresholds
