"""`make soak`: minutes of faults; prints the seed that plays them again.

python -m tests.soak [--seed N] [--size long|short] [--runs N] [--plan]
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
from pathlib import Path

from tests.soak.plan import LONG, SHORT, planned
from tests.soak.soak import soak

SETTLES_WITHIN_S = 120


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--seed", type=int, help="the plan of faults; else one by chance")
    parser.add_argument("--size", choices=("long", "short"), default="long")
    parser.add_argument("--runs", type=int, default=1, help="with this seed and those after it")
    parser.add_argument("--plan", action="store_true", help="print the faults, do nothing")
    told = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("soak").setLevel(logging.INFO)
    first = random.randrange(1_000_000) if told.seed is None else told.seed
    size = {"long": LONG, "short": SHORT}[told.size]
    failed = False
    for seed in range(first, first + told.runs):
        plan = planned(seed, size)
        if told.plan:
            print(*plan.faults, sep="\n")
            continue
        directory = Path(tempfile.mkdtemp(prefix=f"cpo-soak-{seed}-"))
        outcome = soak(plan, directory, SETTLES_WITHIN_S)
        failed = failed or bool(outcome.problems)
        print(*outcome.problems, sep="\n", end="\n" * bool(outcome.problems))
        print(
            f"seed {seed}: {outcome.sessions} sessions, {outcome.cdrs} CDRs of which "
            f"{outcome.credits} credits; delivered {outcome.delivered_wh:.1f} Wh, billed "
            f"{outcome.billed_wh:.1f} Wh: {'FAILED' if outcome.problems else 'it adds up'}; "
            f"logs in {directory}"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
