"""A statement is the sum of its CDRs, exactly, whatever CDRs there are; a month has its zone."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pricing import negate
from domain.reconciliation.cdr_totals import DIMENSIONS, totals
from domain.reconciliation.statements import COLUMNS, Month, NotAMonth, rows_of

NOVEMBER = Month.of("2026-11")

amounts = st.integers(0, 10_000_000).map(lambda number: number / 10_000)
prices = st.one_of(
    st.fixed_dictionaries({"excl_vat": amounts}),
    st.fixed_dictionaries({"excl_vat": amounts, "incl_vat": amounts}),
)
parties = st.sampled_from([("DE", "MSP"), ("FR", "ABC")])


@st.composite
def cdrs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """CDRs, some of them with the credit CDR that takes them back."""
    made: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 8))):
        country_code, party_id = draw(parties)
        cdr: dict[str, Any] = {
            "country_code": "NL",
            "party_id": draw(st.sampled_from(["EVC", "XYZ"])),
            "cdr_token": {"country_code": country_code, "party_id": party_id},
            "currency": draw(st.sampled_from(["EUR", "SEK"])),
            "total_energy": draw(amounts),
            "total_cost": draw(prices),
        }
        for name in draw(st.sets(st.sampled_from(DIMENSIONS))):
            cdr[f"total_{name}_cost"] = draw(prices)
        made.append(cdr)
        if draw(st.booleans()):
            made.append({**negate(cdr), "credit": True})
    return made


def _exact(value: float | None) -> Decimal:
    return Decimal(repr(value or 0.0))


@given(cdrs())
def test_a_statement_is_the_sum_of_its_cdrs_exactly(made: list[dict[str, Any]]) -> None:
    rows = rows_of(made, NOVEMBER)
    assert all(tuple(row) == COLUMNS for row in rows)
    for row in rows:
        of_it = [
            cdr
            for cdr in made
            if f"{cdr['country_code']}*{cdr['party_id']}" == row["from_party"]
            and "*".join(cdr["cdr_token"].values()) == row["to_party"]
            and cdr["currency"] == row["currency"]
        ]
        signs = [-1 if cdr.get("credit") else 1 for cdr in of_it]
        costs = [cdr["total_cost"] for cdr in of_it]
        excl = sum(_exact(cost["excl_vat"]) for cost in costs)
        incl = sum(_exact(cost.get("incl_vat", cost["excl_vat"])) for cost in costs)
        energy = sum(s * _exact(cdr["total_energy"]) for s, cdr in zip(signs, of_it, strict=True))
        assert row["number"] == len(of_it)
        assert row["credits"] == signs.count(-1)
        assert _exact(row["energy_kwh"]) == energy
        assert (_exact(row["total_excl_vat"]), _exact(row["total_incl_vat"])) == (excl, incl)
        assert _exact(row["vat"]) == incl - excl
        for name in DIMENSIONS:
            told = [(s, cdr.get(f"total_{name}_cost")) for s, cdr in zip(signs, of_it, strict=True)]
            assert _exact(row[f"{name}_cost_excl_vat"]) == sum(
                s * _exact(price["excl_vat"]) for s, price in told if price
            )
    assert sum(row["number"] for row in rows) == len(made)


@given(cdrs())
def test_what_is_credited_counts_for_nothing(made: list[dict[str, Any]]) -> None:
    paid_back = [{**negate(cdr), "credit": True} for cdr in made if not cdr.get("credit")]
    kept = [cdr for cdr in made if not cdr.get("credit")]
    for total in totals([*kept, *paid_back]):
        assert (total.energy_kwh, total.cost.excl, total.cost.incl) == (0, 0, 0)
        assert all((cost.excl, cost.incl) == (0, 0) for cost in total.by_dimension.values())
        assert total.credits * 2 == total.number


def test_a_cdr_without_vat_is_counted_and_said() -> None:
    one = {"currency": "EUR", "total_energy": 1.5, "total_cost": {"excl_vat": 2.0}}
    other = {**one, "total_cost": {"excl_vat": 1.0, "incl_vat": 1.2}}
    [total] = totals([one, other])
    assert total.fields() == {
        "currency": "EUR",
        "number": 2,
        "credits": 0,
        "without_vat": 1,
        "total_energy": 3.0,
        "excl_vat": 3.0,
        "incl_vat": 3.2,
    }
    assert total.said().endswith("3.0 EUR without VAT, 3.2 with (1 of them say no VAT)")


def test_a_month_begins_and_ends_at_local_midnight() -> None:
    amsterdam = Month.of("2026-10", "Europe/Amsterdam")
    assert amsterdam.start == datetime(2026, 9, 30, 22, tzinfo=timezone.utc)
    assert amsterdam.end == datetime(2026, 10, 31, 23, tzinfo=timezone.utc)
    december = Month.of("2026-12")
    assert december.end == datetime(2027, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("name", "zone"), [("2026-13", "UTC"), ("11/2026", "UTC"), ("", "UTC"), ("2026-11", "Mars")]
)
def test_what_is_no_month_is_refused(name: str, zone: str) -> None:
    with pytest.raises(NotAMonth, match="Mars" if zone == "Mars" else "2026-11"):
        Month.of(name, zone)
