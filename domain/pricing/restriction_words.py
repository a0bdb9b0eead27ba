"""A tariff element's restrictions in the words of people: "on Mon to Fri from 08:00 to 20:00".

Every restriction that is given is said, with the figures as they were written. Pure; prices are no
matter of this file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from db_interface.json_data import JsonMapping

WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
LOWER_BOUNDS = frozenset({"min_kwh", "min_current", "min_power", "min_duration"})
"""Of an element that has these alone it is clear what was before: nothing of it."""
_MIDNIGHT = "00:00"
_A_RUN = 3
"""So many days in a row are said by the first and the last."""


def given_restrictions(element: JsonMapping) -> JsonMapping:
    """Those that say something: a null or an empty list restricts nothing."""
    restrictions = element.get("restrictions") or {}
    return {name: value for name, value in restrictions.items() if value not in (None, [])}


def when(given: JsonMapping) -> str:
    """When the element applies, without a word on reservations; empty: always."""
    return " ".join(_parts(given))


def plain_number(value: object) -> str:
    """A number as a person writes it: 0.5, 22, never 2.2E+1."""
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    text = f"{exact:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def length(seconds: object) -> str:
    """ "1 h 30 min" of 5400, exactly."""
    whole = int(Decimal(str(seconds)))
    sign, whole = ("-", -whole) if whole < 0 else ("", whole)
    figures = ((whole // 3600, "h"), (whole // 60 % 60, "min"), (whole % 60, "s"))
    return sign + (" ".join(f"{n} {unit}" for n, unit in figures if n) or "0 s")


def _parts(given: JsonMapping) -> Iterator[str]:
    if "day_of_week" in given:
        yield f"on {_days(given['day_of_week'])}"
    if "start_time" in given or "end_time" in given:
        yield _times(given.get("start_time"), given.get("end_time"))
    if "start_date" in given:
        yield f"as of {given['start_date']}"
    if "end_date" in given:
        yield f"before {given['end_date']}"
    yield from _energy(given)
    yield from _duration(given)
    for name, unit in (("power", "kW"), ("current", "A")):
        if f"min_{name}" in given:
            yield f"at {plain_number(given[f'min_{name}'])} {unit} or more"
        if f"max_{name}" in given:
            yield f"below {plain_number(given[f'max_{name}'])} {unit}"


def _times(start: object, end: object) -> str:
    """An end of 00:00 is the end of the day (mod_tariffs, end_time)."""
    if start is None:
        return f"until {_end(end)}"
    return f"from {start} to {_end(end)}"


def _end(end: object) -> object:
    return "24:00" if end in (None, _MIDNIGHT) else end


def _energy(given: JsonMapping) -> Iterator[str]:
    low, high = given.get("min_kwh"), given.get("max_kwh")
    if low is not None and high is not None:
        yield f"from {plain_number(low)} to {plain_number(high)} kWh"
    elif low is not None:
        yield f"after {plain_number(low)} kWh"
    elif high is not None:
        yield f"for the first {plain_number(high)} kWh"


def _duration(given: JsonMapping) -> Iterator[str]:
    low, high = given.get("min_duration"), given.get("max_duration")
    if low is not None and high is not None:
        yield f"between {length(low)} and {length(high)}"
    elif low is not None:
        yield f"after {length(low)}"
    elif high is not None:
        yield f"in the first {length(high)}"


def _days(days: Sequence[str]) -> str:
    """In the order of the week; what is no weekday as it stands."""
    odd = [str(day) for day in days if day not in WEEKDAYS]
    places = sorted({WEEKDAYS.index(day) for day in days if day in WEEKDAYS})
    said: list[str] = []
    run: list[int] = []
    for place in [*places, None]:
        if run and place != run[-1] + 1:
            names = [WEEKDAYS[one][:3].title() for one in run]
            said += [f"{names[0]} to {names[-1]}"] if len(run) >= _A_RUN else names
            run = []
        if place is not None:
            run.append(place)
    return _and([*said, *odd])


def _and(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
