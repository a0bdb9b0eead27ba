"""Step sizes, flat fees, reservations, limits, tariffs in force: what the examples leave open."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from math import floor
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.pricing import ChargingPeriod, negate, price_cdr, price_session
from tests.domain.pricing.sessions import (
    at,
    cdr,
    charged,
    component,
    cost,
    element,
    period,
    price,
    tariff,
)

START = at("2026-06-08 10:00")
HOUR = timedelta(hours=1)


def minutes(*stretches: tuple[str, int]) -> dict[str, Any]:
    """A session of TIME, PARKING_TIME and RESERVATION_TIME stretches in minutes, in order."""
    moment, periods = START, []
    for kind, length in stretches:
        periods.append(period(moment, **{kind: round(length / 60, 4)}))
        moment += timedelta(minutes=length)
    return cdr(moment, *periods)


def test_a_whole_number_of_steps_is_not_rounded_up() -> None:
    # 10 minutes are 0.1667 h, which is 0.12 s more than 10 minutes.
    by_ten_minutes = tariff(element(component("TIME", 6, step_size=600)))
    for length in (10, 20, 40, 50, 70):
        assert cost(price(minutes(("TIME", length)), by_ten_minutes)) == Decimal(length) / 10


def test_time_after_parking_is_what_gets_rounded_when_it_comes_last() -> None:
    steps = tariff(
        element(component("TIME", 6, step_size=600), component("PARKING_TIME", 60, step_size=600))
    )
    priced = price(minutes(("TIME", 3), ("PARKING_TIME", 4), ("TIME", 12)), steps)
    assert cost(priced, "total_time_cost") == 2  # 15 minutes in all, 20 billed
    assert cost(priced, "total_parking_cost") == 4  # not rounded


def test_energy_is_rounded_once_and_by_the_last_component() -> None:
    cheap = element(component("ENERGY", 1, step_size=5000), end_time="10:30")
    dear = element(component("ENERGY", 2, step_size=1000))
    priced = price(charged(START, hours=1, kwh=10.5), tariff(cheap, dear))
    assert cost(priced) == Decimal("5.25") + 2 * Decimal("5.75")


def test_the_noise_of_binary_floats_is_not_rounded_up() -> None:
    noisy = charged(START, hours=1, kwh=0.1 + 0.2)
    assert cost(price(noisy, tariff(element(component("ENERGY", 1, step_size=100))))) == Decimal(
        "0.3"
    )


def test_energy_fed_back_on_balance_is_paid_for_as_it_is() -> None:
    returned = charged(START, hours=1, kwh=-2.3)
    assert cost(price(returned, tariff(element(component("ENERGY", 1, 1000))))) == Decimal("-2.3")


def test_a_flat_fee_is_billed_once_per_session() -> None:
    by_day = element(component("FLAT", 1), end_time="10:30")
    late = element(component("FLAT", 3))
    priced = price(charged(START, hours=1, kwh=1), tariff(by_day, late))
    assert priced.totals()["total_fixed_cost"] == {"excl_vat": 1.0, "incl_vat": 1.0}


def test_a_flat_fee_is_billed_when_its_element_becomes_active() -> None:
    overstay = tariff(element(component("FLAT", 5, vat=20), min_duration=1800))
    assert cost(price(charged(START, hours=0.5, kwh=1), overstay)) == 0
    assert cost(price(charged(START, hours=1, kwh=1), overstay)) == 5


def test_a_flat_fee_of_parking_goes_to_the_parking_cost() -> None:
    fee = element(component("FLAT", 5), component("PARKING_TIME", 2), min_duration=1800)
    totals = price(minutes(("TIME", 30), ("PARKING_TIME", 30)), tariff(fee)).totals()
    assert totals["total_parking_cost"] == {"excl_vat": 6.0, "incl_vat": 6.0}
    assert "total_fixed_cost" not in totals


RESERVING = [
    element(component("FLAT", 2), component("TIME", 6, step_size=600), reservation="RESERVATION"),
    element(component("FLAT", 9), reservation="RESERVATION_EXPIRES"),
    element(component("FLAT", 1), component("TIME", 12, step_size=600)),
]


def test_reservation_and_charging_are_rounded_each_by_itself() -> None:
    totals = price(minutes(("RESERVATION_TIME", 13), ("TIME", 3)), tariff(*RESERVING)).totals()
    assert totals["total_reservation_cost"]["excl_vat"] == 4.0  # 2.00 + 20 minutes
    assert totals["total_time_cost"]["excl_vat"] == 2.0
    assert totals["total_fixed_cost"]["excl_vat"] == 1.0
    assert totals["total_cost"]["excl_vat"] == 7.0


def test_a_reservation_that_expired_takes_the_fee_of_expiry_instead() -> None:
    session = minutes(("RESERVATION_TIME", 20))
    assert cost(price(session, tariff(*RESERVING))) == 11  # 9.00 + 20 minutes

    cancelled = price_session(
        session["charging_periods"],
        [tariff(*RESERVING)],
        session["start_date_time"],
        session["end_date_time"],
        "UTC",
        reservation_expired=False,
    )
    assert cost(cancelled) == 4  # 2.00 + 20 minutes


def test_a_tariff_without_reservation_elements_reserves_for_free() -> None:
    assert cost(price(minutes(("RESERVATION_TIME", 20)), tariff(RESERVING[2]))) == 0


def test_a_minimum_holds_without_and_with_vat_by_itself() -> None:
    limits = {"min_price": {"excl_vat": 2, "incl_vat": 2.2}}
    small = price(charged(START, 1, 1), tariff(element(component("ENERGY", 1, vat=200)), **limits))
    assert small.totals()["total_cost"] == {"excl_vat": 2.0, "incl_vat": 3.0}

    free = price(charged(START, 1, 1), tariff(element(component("FLAT", 0)), **limits))
    assert free.totals()["total_cost"] == {"excl_vat": 2.0, "incl_vat": 2.2}
    assert free.explanation[-1].reason == "min_price applied"


def test_a_minimum_is_for_charging_sessions_not_for_reservations() -> None:
    minimum = tariff(RESERVING[0], min_price={"excl_vat": 50})
    assert cost(price(minutes(("RESERVATION_TIME", 10)), minimum)) == 3
    assert cost(price(minutes(("RESERVATION_TIME", 10), ("TIME", 1)), minimum)) == 50


def test_a_maximum_without_vat_leaves_the_vat_that_came_up() -> None:
    capped = tariff(element(component("ENERGY", 1, vat=10)), max_price={"excl_vat": 10})
    totals = price(charged(START, 1, 20), capped).totals()
    assert totals["total_cost"] == {"excl_vat": 10.0, "incl_vat": 12.0}
    assert totals["total_energy_cost"] == {"excl_vat": 20.0, "incl_vat": 22.0}


def test_ad_hoc_payment_is_in_whole_cents_and_the_difference_is_explained() -> None:
    on_the_spot = tariff(element(component("ENERGY", 0.333, vat=21)), type="AD_HOC_PAYMENT")
    priced = price(charged(START, 1, 1), on_the_spot)
    assert priced.totals()["total_cost"] == {"excl_vat": 0.33, "incl_vat": 0.4}
    assert priced.explanation[-1].dimension == "ROUNDING"
    yen = tariff(element(component("ENERGY", 30.5)), type="AD_HOC_PAYMENT", currency="JPY")
    session = {**charged(START, 1, 1), "currency": "JPY"}
    assert price(session, yen).totals()["total_cost"]["excl_vat"] == 31.0


def test_the_tariff_at_the_start_is_kept_when_it_ends_during_the_session() -> None:
    old = tariff(element(component("ENERGY", 1)), id="old", end_date_time="2026-06-08T10:30:00Z")
    new = tariff(element(component("ENERGY", 2)), id="new", start_date_time="2026-06-08T10:30:01Z")
    assert cost(price(charged(START, 1, 10), [new, old])) == 10
    assert cost(price(charged(START + HOUR, 1, 10), [old, new])) == 20


def test_no_tariff_in_force_is_free_of_charge_and_says_so() -> None:
    future = tariff(element(component("ENERGY", 1)), start_date_time="2027-01-01T00:00:00Z")
    for none in (future, None):
        priced = price(charged(START, 1, 10), none)
        assert cost(priced) == 0
        assert priced.explanation[0].reason == "no tariff in force"


def test_periods_name_their_tariffs() -> None:
    cheap = tariff(element(component("FLAT", 1), component("ENERGY", 1)), id="CHEAP")
    fast = tariff(element(component("FLAT", 2), component("ENERGY", 3)), id="FAST")
    session = cdr(
        START + 3 * HOUR,
        {**period(START, ENERGY=10), "tariff_id": "cheap"},
        {**period(START + HOUR, ENERGY=10), "tariff_id": "FAST"},
        period(START + 2 * HOUR, ENERGY=10),  # no tariff is relevant
    )
    priced = price(session, [cheap, fast])
    assert cost(priced, "total_energy_cost") == 40
    assert cost(priced, "total_fixed_cost") == 1  # one start fee per session
    assert cost(price(session, fast), "total_energy_cost") == 90  # the tariff given wins


def test_the_price_does_not_jump_when_the_session_closes() -> None:
    steps = tariff(element(component("ENERGY", 0.37, 1, 21), component("TIME", 1.7, 60, 21)))
    running = [
        ChargingPeriod(START, {"ENERGY": Decimal("3.4567"), "TIME": Decimal(1) / 3}),
        ChargingPeriod(START + HOUR / 3, {"ENERGY": Decimal("1.0001"), "TIME": Decimal(1) / 6}),
    ]
    end = START + HOUR / 2
    session = price_session(running, [steps], START, end, "Europe/Amsterdam")
    closed = price_cdr(cdr(end, *(p.to_ocpi() for p in running)), steps, "Europe/Amsterdam")
    assert closed.totals() == session.totals()


def test_a_session_that_just_began_owes_what_is_due_at_once() -> None:
    fees = tariff(element(component("FLAT", 1), component("ENERGY", 1)))
    assert cost(price_session([], [fees], START, START, "UTC")) == 1


def test_the_callers_decimal_context_changes_nothing() -> None:
    session, prices = charged(START, 1.3, 12.3456), tariff(element(component("ENERGY", 0.3217)))
    usual = price(session, prices).totals()
    with localcontext() as context:
        context.prec = 3
        assert price(session, prices).totals() == usual


def test_a_credit_negates_the_total_cost_and_nothing_else() -> None:
    totals = price(charged(START, 1, 10), tariff(element(component("ENERGY", 1, 1, 10)))).totals()
    assert negate(totals) == {**totals, "total_cost": {"excl_vat": -10.0, "incl_vat": -11.0}}
    assert str(negate({"total_cost": {"excl_vat": 0}})["total_cost"]["excl_vat"]) == "0.0"


def with_taxes(*components: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return tariff(element(*components), tax_included="YES", **fields)


def test_a_price_with_vat_in_it_is_what_the_driver_pays() -> None:
    # 2.3.0's Canadian example: 2.5 hours at C$ 2.10 are C$ 5.25, of which 5 % are GST.
    priced = price(charged(START, 2.5, 0), with_taxes(component("TIME", 2.10, vat=5)))
    assert priced.totals()["total_cost"] == {"excl_vat": 5.0, "incl_vat": 5.25}
    # 20 kWh at 0.59 with 19 %, and 1.00 to start with at 7 %: 11.80 / 1.19 + 1 / 1.07.
    priced = price(
        charged(START, 1, 20),
        with_taxes(component("FLAT", 1, vat=7), component("ENERGY", 0.59, vat=19)),
    )
    assert priced.totals()["total_energy_cost"] == {"excl_vat": 9.916, "incl_vat": 11.8}
    assert priced.totals()["total_fixed_cost"] == {"excl_vat": 0.9346, "incl_vat": 1.0}
    assert priced.totals()["total_cost"] == {"excl_vat": 10.8506, "incl_vat": 12.8}
    assert sum(row.excl_vat for row in priced.explanation) == Decimal("10.8506")


def test_prices_with_and_without_their_vat_come_to_the_same() -> None:
    session = minutes(("TIME", 37), ("PARKING_TIME", 90))
    without = tariff(element(component("TIME", 2, 600, 21), component("PARKING_TIME", 5, 300, 21)))
    included = with_taxes(
        component("TIME", 2.42, 600, 21), component("PARKING_TIME", 6.05, 300, 21)
    )
    assert price(session, included).totals() == price(session, without).totals()


def test_the_limits_of_a_tariff_with_taxes_in_its_prices_hold_before_and_after_taxes() -> None:
    limits = {"max_price": {"excl_vat": 10, "incl_vat": 11.9}}
    capped = price(charged(START, 1, 50), with_taxes(component("ENERGY", 0.59, vat=19), **limits))
    assert capped.totals()["total_cost"] == {"excl_vat": 10.0, "incl_vat": 11.9}
    least = {"min_price": {"excl_vat": 1, "incl_vat": 1.19}}
    raised = price(charged(START, 1, 1), with_taxes(component("ENERGY", 0.59, vat=19), **least))
    assert raised.totals()["total_cost"] == {"excl_vat": 1.0, "incl_vat": 1.19}


@given(
    st.lists(
        st.tuples(st.integers(0, 10**5), st.sampled_from([0, 5, 7, 8.1, 19, 21, 25.5])),
        min_size=2,
        max_size=2,
    ),
    st.integers(1, 10**7),
)
def test_what_is_said_to_be_without_taxes_is_exact_to_the_last_digit(
    priced_at: list[tuple[int, float]], wh: int
) -> None:
    """As fractions say it, which never round."""
    (flat, flat_vat), (energy, energy_vat) = priced_at
    kwh = round(wh / 1000, 3)
    priced = price(
        charged(START, 1, kwh),
        with_taxes(
            component("FLAT", flat / 10**4, vat=flat_vat),
            component("ENERGY", energy / 10**4, vat=energy_vat),
        ),
    )
    for field, amount, vat in (
        ("total_fixed_cost", Fraction(flat, 10**4), flat_vat),
        ("total_energy_cost", Fraction(energy, 10**4) * Fraction(wh, 1000), energy_vat),
    ):
        without = amount / (1 + Fraction(str(vat)) / 100)
        found = priced.costs[field]
        assert (Fraction(found.excl), Fraction(found.incl)) == (half_up(without), half_up(amount))


def half_up(amount: Fraction) -> Fraction:
    return Fraction(floor(amount * 10**4 + Fraction(1, 2)), 10**4)
