"""`make soak`: minutes of faults; prints the seed that plays them again.

python -m tests.soak [--seed N] [--size long|short] [--runs N] [--plan] [--ocpp]
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import sys
import tempfile
from pathlib import Path

from db_interface.database import Database
from db_interface.embedded import EmbeddedMongo
from db_interface.indexes import ensure_indexes
from tests.soak.ocpp import Outcome, soaked
from tests.soak.plan import LONG, SHORT, planned
from tests.soak.soak import soak

SETTLES_WITHIN_S = 120
OCPP_FAULTS = {"long": 40, "short": 6}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--seed", type=int, help="the plan of faults; else one by chance")
    parser.add_argument("--size", choices=("long", "short"), default="long")
    parser.add_argument("--runs", type=int, default=1, help="with this seed and those after it")
    parser.add_argument("--plan", action="store_true", help="print the faults, do nothing")
    parser.add_argument(
        "--ocpp", action="store_true", help="stations that speak OCPP, their gateways and wires"
    )
    told = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("soak").setLevel(logging.INFO)
    first = random.randrange(1_000_000) if told.seed is None else told.seed
    size = {"long": LONG, "short": SHORT}[told.size]
    failed = False
    for seed in range(first, first + told.runs):
        if told.ocpp:
            failed = _over_ocpp(seed, OCPP_FAULTS[told.size]) or failed
            continue
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


def _over_ocpp(seed: int, faults: int) -> bool:
    """Whether it failed."""
    # That gateways are away is what is played.
    logging.getLogger("cpo_app.charge_point.ocpp").setLevel(logging.ERROR)
    directory = Path(tempfile.mkdtemp(prefix=f"cpo-soak-ocpp-{seed}-"))
    mongo = EmbeddedMongo(directory / "mongo")

    async def play() -> Outcome:
        url = mongo.url.replace("/?", "/soak?")
        db = Database.connect(url)
        try:
            await ensure_indexes(db)
            return await soaked(directory, url, db, seed, faults)
        finally:
            db.close()

    mongo.start()
    try:
        outcome = asyncio.run(play())
    finally:
        mongo.stop()
    print(*outcome.problems, sep="\n", end="\n" * bool(outcome.problems))
    print(
        f"seed {seed}: {outcome.sessions} sessions over OCPP, delivered "
        f"{outcome.delivered_wh:.1f} Wh: {'FAILED' if outcome.problems else 'it adds up'}; "
        f"logs in {directory}"
    )
    return bool(outcome.problems)


if __name__ == "__main__":
    sys.exit(main())
