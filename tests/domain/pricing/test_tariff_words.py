"""A tariff in words: nothing that decides a price is left out, and OCPI's examples read well."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.pricing.tariff_words import tariff_in_words
from tests.domain.pricing.sessions import component, element, tariff
from tests.drawn import drawn

DATA = Path(__file__).parents[2] / "data"
EXAMPLES = {
    "spec_examples/tariffs/tariff_1_simple_2hour": "2 €/h while charging (per started min); plus "
    "10 % VAT",
    "spec_examples/tariffs/tariff_2_alt_text": "1.90 €/h while charging (per started 5 min); plus "
    "5.2 % VAT; for who pays on the spot",
    "spec_examples/tariffs/tariff_3_alt_url": "0.25 €/kWh (plus 10 % VAT, per started 0.1 kWh); "
    "0.50 € per session (plus 20 % VAT); for who wants to charge cheaply",
    "spec_examples/tariffs/tariff_4_complex": "1 €/h while charging per started 15 min below 32 A, "
    "else 2 per started 10 min on Mon to Fri at 32 A or more, else 1.25 per started 10 min on Sat "
    "and Sun at 32 A or more, else free (plus 20 % VAT); 5 €/h while parked on Mon to Fri from "
    "09:00 to 18:00, else 6 on Sat from 10:00 to 17:00 (plus 10 % VAT, per started 5 min); 2.50 € "
    "per session (plus 15 % VAT); for drivers with a contract",
    "spec_examples/tariffs/tariff_5_free_of_charge": "free of charge; flat fee free; no VAT",
    "spec_examples/tariffs/tariff_6_025kwh_start_max_price": "0.25 €/kWh (plus 10 % VAT); 0.50 € "
    "per session (plus 20 % VAT); at most 10 € (11 with VAT); valid until 2019-06-30 23:59:59 UTC",
    "spec_examples/tariffs/tariff_12_025kwh_min_price": "0.25 €/kWh; at least 0.50 € (0.55 with "
    "VAT); plus 10 % VAT",
    "spec_examples/tariffs/tariff_13_simple_3hour_5parking": "0.05 €/min while charging (plus 10 % "
    "VAT, per started min); 5 €/h while parked (plus 20 % VAT, per started 5 min)",
    "spec_examples/tariffs/tariff_14_step_size": "0.02 €/min while charging per started 30 min "
    "from 00:00 to 17:00, else 0.04 per started 15 min from 17:00 to 20:00, else 0.04 per started "
    "15 min from 20:00 to 24:00, else free; 1 €/h while parked from 00:00 to 17:00, else 1 from "
    "17:00 to 20:00 (per started 15 min); no VAT",
    "spec_examples/tariffs/tariff_18_reservation_with_expire_time": "0.25 €/kWh (plus 10 % VAT); "
    "0.50 € per session (plus 20 % VAT); 0.05 €/min of a reservation (plus 20 % VAT, per started "
    "10 min); 0.10 €/min of a reservation that expires (plus 20 % VAT, per started 10 min)",
    "spec_examples/tariffs/tariffrestriction_example_max_duration": "energy free in the first "
    "30 min, else 0.25 €/kWh in the first 1 h, else 0.40; plus 20 % VAT; for drivers with a "
    "contract",
    "spec_examples/tariffs/tariffrestriction_example_max_power": "0.20 €/kWh below 16 kW, else "
    "0.35 below 32 kW, else 0.50; plus 20 % VAT; for drivers with a contract",
}


@pytest.mark.parametrize("name", EXAMPLES, ids=lambda name: name.rpartition("/")[2])
def test_the_text_s_examples_read_like_this(name: str) -> None:
    found = json.loads((DATA / f"{name}.json").read_text())
    assert tariff_in_words(found).line == EXAMPLES[name]


def test_as_the_operator_of_a_car_park_would_say_it() -> None:
    said = tariff_in_words(
        tariff(
            element(component("ENERGY", 0.35, vat=19), start_time="08:00", end_time="20:00"),
            element(component("ENERGY", 0.29, vat=19)),
            element(component("PARKING_TIME", 3, vat=19), min_duration=14400),
            max_price={"excl_vat": 30},
            tax_included="YES",
        )
    )
    assert said.line == (
        "0.35 €/kWh from 08:00 to 20:00, else 0.29; 0.05 €/min while parked after 4 h; "
        "at most 30 €; incl. 19 % VAT"
    )


def test_what_can_never_apply_is_said_to_be_so() -> None:
    said = tariff_in_words(
        tariff(
            element(component("ENERGY", 0.3)),
            element(component("ENERGY", 0.2), day_of_week=["SUNDAY"]),
        )
    )
    assert said.line == "0.30 €/kWh (never: 0.20 €/kWh on Sun); no VAT"


def test_a_price_for_every_hour_is_a_range_in_a_table() -> None:
    hours = [
        element(component("ENERGY", (20 + hour) / 100), start_time=f"{hour:02d}:00")
        for hour in range(24)
    ]
    found = tariff(*hours)
    assert tariff_in_words(found, brief=True).line == "0.20 to 0.43 €/kWh (24 prices); no VAT"
    assert tariff_in_words(found).line.count("else") == 24  # the last one: free


WEEK = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
figures = st.decimals(0, 99, places=2).map(float)
seconds = st.integers(1, 200_000)
clocks = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
days = st.dates().map(str).filter(lambda day: day > "1000")
RESTRICTIONS: dict[str, st.SearchStrategy[Any]] = {
    "start_time": clocks,
    "end_time": clocks,
    "start_date": days,
    "end_date": days,
    "min_kwh": figures,
    "max_kwh": figures,
    "min_current": figures,
    "max_current": figures,
    "min_power": figures,
    "max_power": figures,
    "min_duration": seconds,
    "max_duration": seconds,
    "day_of_week": st.lists(st.sampled_from(WEEK), min_size=1, max_size=7, unique=True),
    "reservation": st.sampled_from(["RESERVATION", "RESERVATION_EXPIRES"]),
}
components = st.builds(
    component,
    st.sampled_from(["ENERGY", "TIME", "PARKING_TIME", "FLAT"]),
    figures,
    st.integers(0, 10_000),
    st.none() | st.integers(0, 25),
)
elements = st.builds(
    lambda parts, restrictions: element(*parts, **restrictions),
    st.lists(components, min_size=1, max_size=3),
    st.fixed_dictionaries({}, optional=RESTRICTIONS),
)
limits = st.fixed_dictionaries({"excl_vat": figures}, optional={"incl_vat": figures})
tariffs = st.builds(
    lambda parts, fields: tariff(*parts, **fields),
    st.lists(elements, min_size=1, max_size=5),
    st.fixed_dictionaries(
        {},
        optional={
            "min_price": limits,
            "max_price": limits,
            "tax_included": st.sampled_from(["YES", "NO", "N/A"]),
            "start_date_time": st.just("2026-01-02T03:04:05Z"),
            "end_date_time": st.just("2027-06-07T08:09:00Z"),
        },
    ),
)


class Read:
    """What stands in the words, read back without the code that wrote them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.numbers = {Decimal(one) for one in re.findall(r"(?<![\d:.-])\d+(?:\.\d+)?", text)}
        self.lengths = {
            sum(
                int(n) * {"h": 3600, "min": 60, "s": 1}[unit]
                for n, unit in re.findall(r"(\d+) (h|min|s)\b", found)
            )
            for found in re.findall(r"(?:\d+ (?:h|min|s)\b ?)+", text)
        }
        self.lengths |= {60} if "started min" in text else set()
        self.lengths |= {3600} if "started h" in text else set()

    def days(self) -> list[set[str]]:
        """Of each "on ...": the days that it names, runs written out."""
        short = [day[:3].title() for day in WEEK]
        name = "|".join(short)
        found = []
        for said in re.findall(rf"on ((?:(?:{name})(?: to |, | and )?)+)", self.text):
            named = set(re.findall(name, said))
            for first, last in re.findall(rf"({name}) to ({name})", said):
                named |= set(short[short.index(first) : short.index(last) + 1])
            found.append(named)
        return found


def says(read: Read, name: str, value: Any) -> bool:
    text = read.text
    if name in ("start_time", "end_time"):
        return value in text or (value == "00:00" and "24:00" in text)
    if name in ("start_date", "end_date"):
        return value in text
    if name == "day_of_week":
        return {day[:3].title() for day in value} in read.days()
    if name == "reservation":
        return ("reservation that expires" if "EXPIRES" in value else "reservation") in text
    if name.endswith("duration"):
        return value in read.lengths
    unit = {"kwh": "kWh", "power": "kW", "current": "A"}[name.partition("_")[2]]
    return unit in text and Decimal(str(value)) in read.numbers


@settings(max_examples=drawn(100))
@given(tariffs)
def test_every_component_and_restriction_is_said(found: dict[str, Any]) -> None:
    line = tariff_in_words(found).line
    read = Read(line)
    taxes = {part.get("vat") for one in found["elements"] for part in one["price_components"]}
    for one in found["elements"]:
        for name, value in one.get("restrictions", {}).items():
            assert says(read, name, value), (name, value, line)
        for part in one["price_components"]:
            price = Decimal(str(part["price"]))
            said = {price, price / 60} & read.numbers if price else "free" in line
            assert said, (price, line)
            if price and part.get("vat") is not None:
                assert f"{part['vat']} % VAT" in line
            elif price and len(taxes) > 1:
                assert "without VAT" in line
            if price and part["step_size"] > 1 and part["type"] != "FLAT":
                steps = {Decimal(part["step_size"]) / 1000} & read.numbers or (
                    part["type"] == "ENERGY" and "per started kWh" in line
                )
                assert steps or part["step_size"] in read.lengths, (part, line)
    for name, key in product(("min_price", "max_price"), ("excl_vat", "incl_vat")):
        if key in found.get(name, {}):
            assert Decimal(str(found[name][key])) in read.numbers
    assert ("2026-01-02 03:04:05" in line) == ("start_date_time" in found)
    assert ("2027-06-07 08:09 UTC" in line) == ("end_date_time" in found)
