from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
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


def test_only_the_latest_ends_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "engine.sqlite", max_ended=3)
    for n in range(6):
        journal.write({}, "b", [], ended=[{"session_id": f"S{n}", "energy_wh": n}])
    assert list(journal.ended()) == ["S3", "S4", "S5"]
    journal.close()


START = [{"seq": 1, "kind": "session_started"}]
STOP = [{"seq": 2, "kind": "session_stopped"}]
ANSWER = [{"command_id": "C1", "result": "ACCEPTED"}]
END = [{"session_id": "S1"}]


@pytest.mark.parametrize(
    ("messages", "answers", "ended", "level"),
    [
        (START, [], [], "FULL"),
        (STOP, [], [], "FULL"),
        ([], ANSWER, [], "FULL"),
        ([], [], END, "FULL"),
        ([meter(1)], [], [], "NORMAL"),
        ([], [], [], "NORMAL"),
    ],
)
def test_what_others_rely_on_is_forced_to_the_disk_and_meter_values_are_not(
    tmp_path: Path, messages: Any, answers: Any, ended: Any, level: str
) -> None:
    journal = Journal(tmp_path / "engine.sqlite", monotonic=lambda: 0.0)
    told: list[str] = []
    journal._db.set_trace_callback(told.append)
    journal.write({"n": 1}, "b", messages, answers, ended)
    journal.close()
    before = told[: told.index("COMMIT")]
    pragmas = [line for line in before if line.startswith("PRAGMA")]
    assert pragmas == [f"PRAGMA synchronous = {level}"]
    # SQLite ignores the pragma inside a transaction.
    assert told.index(pragmas[0]) < next(i for i, line in enumerate(told) if "BEGIN" in line)


def test_meter_values_alone_reach_the_disk_every_ten_seconds(tmp_path: Path) -> None:
    now = 100.0
    journal = Journal(tmp_path / "engine.sqlite", monotonic=lambda: now)
    levels: list[str] = []
    journal._db.set_trace_callback(
        lambda line: levels.append(line.split()[-1]) if "synchronous" in line else None
    )
    for seq in range(1, 26):
        now += 1.0
        journal.write({}, "b", [meter(seq)])
    journal.close()
    assert [seq for seq, level in enumerate(levels, 1) if level == "FULL"] == [10, 20]


_SYNCED = """
import os, pathlib, sys
from cpo_app.charge_point.journal import Journal
journal = Journal(pathlib.Path(sys.argv[1]))
def mark(text): os.write(2, f"MARK {text}\\n".encode())
journal.write({}, "b", [])
mark("meter")
for seq in range(1, 6):
    journal.write({}, "b", [{"seq": seq, "kind": "meter"}])
mark("start")
journal.write({}, "b", [{"seq": 6, "kind": "session_started"}])
mark("answer")
journal.write({}, "b", [], [{"command_id": "C1"}])
mark("end")
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_the_operating_system_is_asked_for_it(tmp_path: Path) -> None:
    """Not what the pragma promises, but what the kernel hears."""
    traced = tmp_path / "calls"
    command = ["strace", "-f", "-e", "trace=fsync,fdatasync,write", "-o", str(traced)]
    subprocess.run(
        [*command, sys.executable, "-c", _SYNCED, str(tmp_path / "engine.sqlite")],
        check=True,
        cwd=Path(__file__).parents[3],
        capture_output=True,
    )
    syncs: dict[str, int] = {}
    part = "before"
    for line in traced.read_text().splitlines():
        if '"MARK ' in line:
            part = line.split('"MARK ')[1].split("\\n")[0]
        elif "sync(" in line:
            syncs[part] = syncs.get(part, 0) + 1
    assert "meter" not in syncs
    assert syncs["start"] >= 1
    assert syncs["answer"] >= 1
