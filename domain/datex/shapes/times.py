"""When: periods, and the hours of operation."""

from __future__ import annotations

from domain.datex.shapes.fields import ID, fields
from domain.datex.xml import Shape, enumeration, one_of, plain, several, time_of_day

_DAYS = Shape({}, fields("com", applicableDay=several(enumeration)))
_TIMES = Shape({}, fields("com", startTimeOfPeriod=time_of_day, endTimeOfPeriod=time_of_day))
_PERIOD = Shape(
    {},
    fields(
        "com",
        startOfPeriod=plain,
        endOfPeriod=plain,
        recurringTimePeriodOfDay=several(_TIMES),
        recurringDayWeekMonthPeriod=several(
            one_of({"comDayWeekMonth": ("com:DayWeekMonth", _DAYS)})
        ),
    ),
)
OVERALL_PERIOD = Shape(
    {},
    fields(
        "com",
        overallStartTime=plain,
        overallEndTime=plain,
        validPeriod=several(_PERIOD),
        exceptionPeriod=several(_PERIOD),
    ),
)
OPERATING_HOURS = one_of(
    {
        "afacOpenAllHours": ("afac:OpenAllHours", Shape({}, {})),
        "afacOperatingHoursSpecification": (
            "afac:OperatingHoursSpecification",
            Shape(ID, fields("afac", overallPeriod=OVERALL_PERIOD)),
        ),
    }
)
