from __future__ import annotations

from itertools import pairwise

import pytest

from cpo_app.charge_point.power import Car, Supply, charge, flowing_w

AC = Supply(22_000, 230, 3)
DC = Supply(150_000, 400, 1, dc=True)


def test_the_least_of_supply_limit_and_car_flows() -> None:
    assert flowing_w(AC, Car(60_000, 0.2, 50_000), None) == 22_000
    assert flowing_w(AC, Car(60_000, 0.2, 11_000), None) == 11_000
    assert flowing_w(AC, Car(60_000, 0.2, 50_000), 7_000) == 7_000
    assert flowing_w(AC, Car(60_000, 0.2, 50_000), 0) == 0


def test_power_falls_steadily_above_80_percent_and_ends_at_full() -> None:
    powers = [Car(60_000, soc / 100, 100_000).accepts_w() for soc in range(80, 101)]
    assert powers[0] == 100_000
    assert all(later < earlier for earlier, later in pairwise(powers))
    assert powers[-2] > 10_000
    assert powers[-1] == 0


def test_energy_is_power_times_time_while_power_is_constant() -> None:
    car = Car(60_000, 0.2, 50_000)
    assert charge(AC, car, None, 3600) == pytest.approx(22_000)
    assert car.soc == pytest.approx(0.2 + 22 / 60)


def test_a_car_is_filled_exactly_and_never_over() -> None:
    car = Car(60_000, 0.9, 50_000)
    assert charge(DC, car, None, 24 * 3600) == pytest.approx(6_000)
    assert car.full
    assert charge(DC, car, None, 3600) == 0


def test_the_cv_phase_takes_longer_than_constant_power_would() -> None:
    car = Car(60_000, 0.8, 60_000)
    assert charge(DC, car, None, 600) < 60_000 * 600 / 3600
    assert not car.full


def test_amperes_are_per_phase() -> None:
    assert AC.watts(16, "A") == 16 * 230 * 3
    assert AC.watts(5000, "W") == 5000
    assert AC.amperes(11_040) == pytest.approx(16)
    assert DC.watts(100, "A") == 40_000
