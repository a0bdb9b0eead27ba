"""What is said of a site's hours: all day, on some days, or nothing."""

from __future__ import annotations

import pytest

from db_interface.json_data import JsonObject
from domain.datex.opening_times import operating_hours

CLOSED = [{"period_begin": "2026-12-25T00:00:00Z", "period_end": "2026-12-26T00:00:00Z"}]
MORNING = {"weekday": 7, "period_begin": "08:00", "period_end": "12:00"}


@pytest.mark.parametrize("hours", [None, {"twentyfourseven": False}])
def test_nothing_is_made_up(hours: JsonObject | None) -> None:
    assert operating_hours(hours, "S", "1") is None


def test_always_open() -> None:
    assert operating_hours({"twentyfourseven": True}, "S", "1") == {"afacOpenAllHours": {}}


def test_always_but_for_a_day() -> None:
    hours = {"twentyfourseven": True, "exceptional_closings": CLOSED}
    made = operating_hours(hours, "S", "1")
    assert made == {
        "afacOperatingHoursSpecification": {
            "idG": "S/hours",
            "versionG": "1",
            "overallPeriod": {
                "overallStartTime": "2000-01-01T00:00:00Z",
                "exceptionPeriod": [
                    {"startOfPeriod": "2026-12-25T00:00:00Z", "endOfPeriod": "2026-12-26T00:00:00Z"}
                ],
            },
        }
    }


def test_on_some_days() -> None:
    made = operating_hours({"twentyfourseven": False, "regular_hours": [MORNING]}, "S", "1")
    assert made is not None
    (period,) = made["afacOperatingHoursSpecification"]["overallPeriod"]["validPeriod"]
    assert period == {
        "recurringTimePeriodOfDay": [
            {"startTimeOfPeriod": "08:00:00Z", "endTimeOfPeriod": "12:00:00Z"}
        ],
        "recurringDayWeekMonthPeriod": [
            {"comDayWeekMonth": {"applicableDay": [{"value": "sunday"}]}}
        ],
    }
