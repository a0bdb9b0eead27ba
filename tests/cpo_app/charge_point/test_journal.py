from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from cpo_app.charge_point.journal import Journal, JournalInUse


def meter(seq: int) -> dict[str, Any]:
    return {"seq": seq, "kind": "meter", "energy_wh": seq * 10}


def test_what_was_written_is_there_after_a_restart_oldest_first(tmp_path: Path) -> None:
    path = tmp_path / "engine.sqlite"
    journal = Journal(path)
    answer = {"command_id": "C1", "result": "ACCEPTED"}
    journal.write({"n": 1}, "boot-1", [meter(1), meter(2)], [answer])
    journal.close()

    journal = Journal(path)
    journal.write({"n": 2}, "boot-2", [meter(1)])
    assert journal.state() == {"n": 2}
    assert journal.answers() == {"C1": answer}
    assert journal.waiting() == 3
    # One batch never mixes boots: seq has a meaning within one only.
    assert journal.batch(500) == ("boot-1", [meter(1), meter(2)])
    assert journal.batch(1) == ("boot-1", [meter(1)])
    assert journal.acknowledge("boot-1", 2) == 2
    assert journal.batch(500) == ("boot-2", [meter(1)])
    assert journal.acknowledge("boot-1", 2) == 0
    assert journal.waiting() == 1
    journal.close()


def test_it_is_private(tmp_path: Path) -> None:
    path = tmp_path / "engine.sqlite"
    old = os.umask(0)
    try:
        journal = Journal(path)
        journal.write({}, "b", [meter(1)])
        modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(old)
    assert modes == {0o600}
    journal.close()


def test_two_engines_cannot_share_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "engine.sqlite")
    with pytest.raises(JournalInUse):
        Journal(tmp_path / "engine.sqlite")
    journal.close()


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "engine.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    journal = Journal(path)
    assert journal.state() is None
    journal.write({"n": 1}, "b", [])
    assert path.with_suffix(".damaged").exists()
    journal.close()


def test_after_long_absence_meter_values_thin_out_and_events_stay(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "engine.sqlite", max_messages=100)
    journal.write({}, "b", [{"seq": 1, "kind": "session_started"}])
    for seq in range(2, 1000):
        journal.write({}, "b", [meter(seq)])
    journal.write({}, "b", [{"seq": 1000, "kind": "session_stopped"}])
    batch = journal.batch(500)
    assert batch is not None
    seqs = [message["seq"] for message in batch[1]]
    assert len(seqs) == journal.waiting() <= 100
    assert seqs == sorted(seqs)
    assert (seqs[0], seqs[-2], seqs[-1]) == (1, 999, 1000)
    journal.close()


def test_only_the_latest_answers_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "engine.sqlite", max_answers=3)
    for n in range(6):
        journal.write({}, "b", [], [{"command_id": f"C{n}", "result": "ACCEPTED"}])
    assert list(journal.answers()) == ["C3", "C4", "C5"]
    journal.close()
