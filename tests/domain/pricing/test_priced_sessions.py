"""Every worked example of the OCPI text comes out as printed: a case is a folder of JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.pricing import Priced, explain_lines, price_cdr, price_files

CASES = Path(__file__).parents[2] / "data/pricing"
FOLDERS = sorted(folder for folder in CASES.iterdir() if folder.is_dir())


def load(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text())


def billed(priced: Priced, dimension: str, per_unit: int = 1) -> float:
    rows = [row for row in priced.explanation if row.dimension == dimension]
    return float(sum(row.billed for row in rows)) / per_unit


def assert_as_printed(priced: Priced, expected: dict[str, Any]) -> None:
    totals = priced.totals()
    wanted = {"total_cost": expected["expected_total_cost"], **expected["expected_parts"]}
    assert {
        field: {vat: totals[field][vat] for vat in price} for field, price in wanted.items()
    } == wanted
    units = {
        "kwh": ("ENERGY", 1),
        "charging_minutes": ("TIME", 60),
        "parking_minutes": ("PARKING_TIME", 60),
        "reservation_minutes": ("RESERVATION_TIME", 60),
    }
    for name, quantity in expected["expected_billed"].items():
        assert billed(priced, *units[name]) == quantity


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_worked_example_comes_out_as_printed(folder: Path) -> None:
    cdr, tariff, expected = (load(folder, name) for name in ("cdr", "tariff", "expect"))
    zone = expected["time_zone"]

    assert_as_printed(price_files(tariff, cdr, zone), expected)
    assert_as_printed(price_cdr(cdr, None, zone), expected)  # by the CDR's own tariffs


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_totals_of_the_example_cdr_are_found_again(folder: Path) -> None:
    cdr = load(folder, "cdr")
    priced = price_files(load(folder, "tariff"), cdr, "UTC").totals()
    for field in ("total_energy", "total_time", "total_parking_time"):
        if field in cdr and folder.name != "cdr_example":  # its total_energy is in no period
            assert priced[field] == cdr[field], field


def test_the_twenty_listed_sessions_are_all_there() -> None:
    names = {entry["name"] for entry in json.loads((CASES / "INDEX.json").read_text())}
    assert len(names) == 20
    assert names <= {folder.name for folder in FOLDERS}


def test_an_explanation_reads_like_the_breakdown_of_the_text() -> None:
    folder = CASES / "t14_switch2"
    rows = explain_lines(price_files(load(folder, "tariff"), load(folder, "cdr"), "UTC"))
    assert [(row["quantity"], row["billed"], row["price"], row["excl_vat"]) for row in rows] == [
        ("1500 s", "1500 s", "1.2", "0.5"),
        ("600 s", "1200 s", "2.4", "0.8"),
    ]
    assert rows[0]["reason"] == "element 0: from 00:00 to 17:00"
    assert rows[1]["reason"] == (
        "element 1: from 17:00 to 20:00; 2100 s in all, rounded up to steps of 900 s"
    )
