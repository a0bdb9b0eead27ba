"""Charts stand where their figures say, and say the same in words and as a table."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

from cpo_app.console.chart_drawing import HEIGHT
from cpo_app.console.charts import Band, Chart, Line, Mark, Point, bars, curve
from cpo_app.console.rendering import Rendering

NOON = datetime(2025, 6, 1, 12, tzinfo=timezone.utc)


def power(*figures: float | None, every_s: int = 60, step: bool = False) -> Line:
    points = [Point(NOON + timedelta(seconds=every_s * n), kw) for n, kw in enumerate(figures)]
    return Line("Power", "kW", points, step=step)


def drawn(chart: Chart) -> str:
    env = Rendering("x", "/docs")._env
    template = env.from_string('{% import "charts.html" as c %}{{ c.draw(chart) }}')
    return template.render(chart=chart)


def test_bars_stand_in_order_and_as_high_as_they_say() -> None:
    days = [(date(2025, 6, n), kwh) for n, kwh in ((1, 5.0), (2, 0.0), (3, 10.0))]
    chart = bars(days, id="kwh", title="Energy", unit="kWh", href=lambda day: f"/d/{day}")
    assert [bar.height for bar in chart.bars] == [HEIGHT / 2, 0, HEIGHT]
    assert [bar.y for bar in chart.bars] == [HEIGHT / 2, HEIGHT, 0]
    assert all(one.x + one.width < other.x for one, other in pairwise(chart.bars))
    assert chart.bars[0].said == "1 Jun: 5\u00a0kWh"
    assert [row.href for row in chart.rows] == [f"/d/2025-06-0{n}" for n in (3, 2, 1)]
    assert chart.said.startswith("15\u00a0kWh in 3 days; the most, 10\u00a0kWh, on 3 Jun")
    assert [(tick.label, tick.at) for tick in chart.left][-1] == ("10.0", 0)


def test_what_was_credited_hangs_below_nought() -> None:
    days = [(date(2025, 6, 1), 10.0), (date(2025, 6, 2), -10.0)]
    one, other = bars(days, id="eur", title="Revenue", unit="EUR").bars
    assert (one.y, one.height) == (0, HEIGHT / 2)
    assert (other.y, other.height) == (HEIGHT / 2, HEIGHT / 2)


def test_a_line_is_cut_at_the_ends_of_its_period_and_has_a_gap_where_nothing_is_known() -> None:
    until = NOON + timedelta(minutes=4)
    line = power(0, 8, None, 4, 4, 0)
    chart = curve([line], id="p", title="Power", since=NOON + timedelta(seconds=30), until=until)
    path = chart.lines[0].path
    assert path.count("M") == 2
    assert path.startswith(f"M0.0 {HEIGHT / 2}")  # half-way between 0 and 8 kW
    assert path.endswith(f"L1000.0 {HEIGHT / 2}")
    assert chart.rows[1].values == ["8.0"]


def test_a_step_holds_until_the_next() -> None:
    chart = curve(
        [power(10, 5, step=True)],
        id="p",
        title="Limit",
        since=NOON,
        until=NOON + timedelta(minutes=2),
    )
    assert chart.lines[0].path == "M0.0 0.0H500.0V80.0"
    assert (
        chart.said
        == "Power: from 5.0 to 10.0\u00a0kW, the most at 12:00:00; last 5.0\u00a0kW at 12:01:00"
    )


def test_marks_and_bands_outside_of_the_period_are_left_out() -> None:
    hour = timedelta(hours=1)
    chart = curve(
        [power(1, 2)],
        id="p",
        title="Power",
        since=NOON,
        until=NOON + hour,
        marks=[Mark(NOON + hour / 2, "full"), Mark(NOON - hour, "plugged in")],
        bands=[Band(NOON - hour, NOON + hour / 4, "night", "off"), Band(NOON - hour, NOON, "day")],
    )
    assert [(mark.x, mark.said) for mark in chart.marks] == [(50, "12:30:00 full")]
    assert [(band.x, band.width, band.label) for band in chart.bands] == [(0, 25, "night")]


def test_the_axis_is_written_in_the_operators_zone_over_a_change_of_the_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    since = datetime(2025, 3, 29, 23, tzinfo=timezone.utc)  # midnight; at 2:00 it is 3:00
    until = since + timedelta(hours=23)
    chart = curve([power(1)], id="p", title="P", since=since, until=until, zone=berlin)
    assert [tick.label for tick in chart.times][:4] == ["30 Mar", "03:00", "06:00", "09:00"]
    assert chart.times[1].at == round(100 * 2 / 23, 3)
    assert chart.zone_name == "Europe/Berlin"


def test_of_very_many_points_the_extremes_are_kept_and_the_table_stays_short() -> None:
    figures = [5.0] * 50_000
    figures[31_111], figures[17_777] = 99.0, 1.0
    line = power(*figures, every_s=1)
    until = NOON + timedelta(seconds=len(figures))
    chart = curve([line], id="p", title="Power", since=NOON, until=until)
    assert chart.said.startswith("Power: from 1.0 to 99.0\u00a0kW")
    assert len(chart.lines[0].path) < 20_000
    assert len(chart.rows) <= 50
    assert chart.lines[0].points == []


def test_two_units_have_a_scale_each() -> None:
    soc = Line(
        "State of charge", "%", [Point(NOON, 20), Point(NOON + timedelta(hours=1), 80)], right=True
    )
    until = NOON + timedelta(hours=1)
    chart = curve([power(0, 50), soc], id="p", title="P", since=NOON, until=until)
    assert (chart.unit, chart.right_unit) == ("kW", "%")
    assert (chart.left[-1].label, chart.right[-1].label) == ("60", "80")
    assert [line.nth for line in chart.lines] == [1, 2]


def test_a_chart_of_nothing_says_so() -> None:
    empty = curve([], id="p", title="Power", since=NOON, until=NOON)
    assert empty.said == "Nothing is known."
    assert bars([], id="b", title="Energy", unit="kWh").said == "Nothing yet."
    assert "<svg" in drawn(empty)


def test_it_is_drawn_without_inline_style_and_strangers_words_stay_words() -> None:
    chart = curve(
        [power(1, 2, 3)],
        id="p",
        title="<b>Power",
        since=NOON,
        until=NOON + timedelta(minutes=2),
        marks=[Mark(NOON, "<script>alert(1)</script>")],
    )
    html = drawn(chart)
    assert "<script>" not in html
    assert "<b>" not in html
    assert not re.search(r"\sstyle=|\son\w+=", html)
    assert 'role="img" aria-labelledby="p-title p-said"' in html
    assert html.count("<circle") == 3
