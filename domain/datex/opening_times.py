"""When a site is open. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex.words import Shared, enums, said

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SINCE_EVER = "2000-01-01T00:00:00Z"
"""DATEX II wants to know since when, OCPI does not say it."""
_ALWAYS = Shared({})
_EXCEPTIONS = (("exceptional_openings", "validPeriod"), ("exceptional_closings", "exceptionPeriod"))


def operating_hours(hours: JsonMapping | None, site: str, version: str) -> JsonObject | None:
    """None where nothing is known of them."""
    if hours is None:
        return None
    if hours["twentyfourseven"] and not hours.get("exceptional_closings"):
        return {"afacOpenAllHours": _ALWAYS}
    exceptions = {
        name: [_exception(period) for period in hours.get(field) or ()]
        for field, name in _EXCEPTIONS
    }
    regular = [_on(weekday, hours) for weekday in _weekdays(hours)]
    if not hours["twentyfourseven"] and not regular:
        return None
    return {
        "afacOperatingHoursSpecification": {
            "idG": f"{site}/hours",
            "versionG": version,
            "overallPeriod": said(
                overallStartTime=SINCE_EVER,
                validPeriod=[*regular, *exceptions["validPeriod"]],
                exceptionPeriod=exceptions["exceptionPeriod"],
            ),
        }
    }


def times_of_day(begin: str, end: str) -> JsonObject:
    """Local, from 08:00 to 20:00; an end of 24:00 is midnight."""
    return {
        "startTimeOfPeriod": f"{begin}:00Z",
        "endTimeOfPeriod": f"{'00:00' if end == '24:00' else end}:00Z",
    }


def on_days(days: Sequence[str]) -> JsonObject:
    return {"comDayWeekMonth": {"applicableDay": enums(days)}}


def _weekdays(hours: JsonMapping) -> list[int]:
    return sorted({one["weekday"] for one in hours.get("regular_hours") or ()})


def _on(weekday: int, hours: JsonMapping) -> JsonObject:
    return {
        "recurringTimePeriodOfDay": [
            times_of_day(one["period_begin"], one["period_end"])
            for one in hours["regular_hours"]
            if one["weekday"] == weekday
        ],
        "recurringDayWeekMonthPeriod": [on_days([DAYS[weekday - 1]])],
    }


def _exception(period: JsonMapping) -> JsonObject:
    return {"startOfPeriod": period["period_begin"], "endOfPeriod": period["period_end"]}
