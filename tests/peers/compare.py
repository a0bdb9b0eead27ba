"""`python -m tests.peers.compare`: the audit suite against the library alone and against ours.

Prints a Markdown table: per row of the audit, how many of its tests each passes. Ends with an
error only when ours fails one; that the library fails is what the table is for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

SUITE = "tests/cpo_app/ocpi/audit"
SUBJECTS = ("library", "ours")


def outcomes(subject: str) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "outcomes.json"
        subprocess.run(
            [sys.executable, "-m", "pytest", SUITE, "-q", "--no-header", "--tb=no",
             "-p", "tests.peers.outcomes"],
            env={**os.environ, "OCPI_SUBJECT": subject, "OCPI_OUTCOMES": str(path)},
            stdout=subprocess.DEVNULL,
            check=False,
        )  # fmt: skip
        return json.loads(path.read_text())


def main() -> int:
    totals: dict[str, tuple[int, int]] = {}
    rows: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for subject in SUBJECTS:
        found = outcomes(subject)
        totals[subject] = (sum(bool(one["passed"]) for one in found), len(found))
        for one in found:
            for row in one["rows"]:  # type: ignore[attr-defined]
                rows[row][subject].append(bool(one["passed"]))
    print("| row | library alone | ours |\n|---|---|---|")
    for row in sorted(rows):
        cells = [f"{sum(rows[row][name])} of {len(rows[row][name])}" for name in SUBJECTS]
        print(f"| {row} | {cells[0]} | {cells[1]} |")
    cells = [f"{totals[name][0]} of {totals[name][1]}" for name in SUBJECTS]
    print(f"| **all tests** | **{cells[0]}** | **{cells[1]}** |")
    return int(totals["ours"][0] != totals["ours"][1])


if __name__ == "__main__":
    sys.exit(main())
