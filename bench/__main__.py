"""`python -m bench [--quick] [--json FILE] [NAME ...]`: every set of figures, against its goal.

A set is a module of this package with `run()` (figures by name) and, where it has goals, GOALS.
A missed goal is printed as MISSED and is no error: the exit code says only that it ran.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import pkgutil
import platform
import sys
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.table import Table

import bench
from bench.goals import MISSED, Goal
from db_interface.json_data import JsonObject


def sets() -> dict[str, ModuleType]:
    """The modules that can be run, by name."""
    names = [info.name for info in pkgutil.iter_modules(bench.__path__) if info.name[0] != "_"]
    modules = {name: importlib.import_module(f"bench.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "run")}


def figures(module: ModuleType, quick: bool) -> list[JsonObject]:
    """Run one set: a row for each figure."""
    knows_quick = "quick" in inspect.signature(module.run).parameters
    measured: dict[str, float] = module.run(quick=quick) if knows_quick else module.run()
    goals: dict[str, Goal] = getattr(module, "GOALS", {})
    rows = []
    for name, value in measured.items():
        goal = goals.get(name, Goal())
        rows.append(
            {
                "figure": name,
                "measured": float(f"{value:.4g}"),
                "goal": str(goal),
                "verdict": goal.verdict(value),
                "why": goal.why,
            }
        )
    return rows


def table(name: str, rows: list[JsonObject]) -> Table:
    shown = Table(title=name, title_justify="left")
    shown.add_column("figure")
    for column in ("measured", "goal"):
        shown.add_column(column, justify="right")
    for column in ("verdict", "compares"):
        shown.add_column(column)
    for row in rows:
        verdict = f"[bold red]{MISSED}[/]" if row["verdict"] == MISSED else row["verdict"]
        shown.add_row(row["figure"], f"{row['measured']:,g}", row["goal"], verdict, row["why"])
    return shown


def main() -> None:
    known = sets()
    parser = argparse.ArgumentParser(prog="python -m bench", description="Figures against goals.")
    parser.add_argument("--quick", action="store_true", help="less data, less time, more noise")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(known)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    console = Console()
    results: JsonObject = {}
    for name in chosen.names or known:
        print(f"{name} ...", file=sys.stderr)
        results[name] = figures(known[name], chosen.quick)
        console.print(table(name, results[name]))
    if chosen.json:
        chosen.json.write_text(json.dumps(_report(chosen.quick, results), indent=2) + "\n")


def _report(quick: bool, results: JsonObject) -> JsonObject:
    return {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "quick": quick,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "sets": results,
    }


if __name__ == "__main__":
    main()
