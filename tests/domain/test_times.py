"""DateTime: which forms are taken, and what goes out."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.schemas import ClientInfo, SchemaError, validate
from domain.times import format_datetime, parse_datetime

CLIENT = {"party_id": "ALL", "country_code": "NL", "role": "CPO", "status": "PLANNED"}
MOMENTS = st.datetimes(timezones=st.just(timezone.utc))


def on_the_wire(value: object) -> str:
    return validate(ClientInfo, {**CLIENT, "last_updated": value})["last_updated"]


@pytest.mark.parametrize(
    ("given_form", "sent"),
    [
        ("2015-06-29T20:39:09Z", "2015-06-29T20:39:09Z"),
        ("2015-06-29T20:39:09", "2015-06-29T20:39:09Z"),
        ("2016-12-29T17:45:09.2Z", "2016-12-29T17:45:09.2Z"),
        ("2016-12-29T17:45:09.2", "2016-12-29T17:45:09.2Z"),
        ("2018-01-01T01:08:01.123Z", "2018-01-01T01:08:01.123Z"),
        ("2018-01-01T01:08:01.123", "2018-01-01T01:08:01.123Z"),
    ],
)
def test_the_texts_forms_are_taken_and_go_out_with_a_z(given_form: str, sent: str) -> None:
    assert on_the_wire(given_form) == sent


@pytest.mark.parametrize(
    ("given_form", "sent"),
    [
        ("2015-06-29T20:39:09+02:00", "2015-06-29T18:39:09Z"),
        ("2015-06-29T20:39:09.50-05:30", "2015-06-30T02:09:09.50Z"),
        ("2015-12-31T23:59:59-00:01", "2016-01-01T00:00:59Z"),
        ("2015-06-29T20:39:09+00:00", "2015-06-29T20:39:09Z"),
    ],
)
def test_an_offset_is_turned_into_utc(given_form: str, sent: str) -> None:
    assert on_the_wire(given_form) == sent


@pytest.mark.parametrize(
    "wrong",
    [
        "2020-W01-1T10:00:00Z",
        "2020-W01-1 10",
        "2020-01-01",
        "2020-01-01 10:00:00Z",
        "2020-01-01T10:00Z",
        "2020-01-01t10:00:00z",
        "20200101T100000Z",
        "2020-01-01T10:00:00,5Z",
        "2020-01-01T10:00:00.Z",
        "2020-01-01T10:00:00.1234567890Z",
        "2020-01-01T10:00:00+0200",
        "2020-01-01T10:00:00+02:60",
        "2020-01-01T10:00:00+24:00",
        "2020-02-30T10:00:00Z",
        "2020-01-01T24:00:00Z",
        "0000-01-01T10:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2020-01-01T10:00:00Z\n",
        "٢٠٢٠-01-01T10:00:00Z",
        "",
        1577872800,
        1577872800.5,
        True,
        ["2020-01-01T10:00:00Z"],
    ],
)
def test_every_other_form_is_refused(wrong: object) -> None:
    with pytest.raises(SchemaError) as refused:
        on_the_wire(wrong)
    assert [path for path, _ in refused.value.errors] == ["last_updated"]


def test_a_datetime_of_our_own_code_is_written_in_the_wire_form() -> None:
    plus_two = timezone(timedelta(hours=2))
    assert on_the_wire(datetime(2020, 1, 1, 12, 0, 0, 7000, plus_two)) == "2020-01-01T10:00:00.007Z"
    assert on_the_wire(datetime(2020, 1, 1, 12)) == "2020-01-01T12:00:00Z"  # naive means UTC


@given(MOMENTS)
def test_what_we_write_we_read_back_to_the_millisecond(moment: datetime) -> None:
    text = format_datetime(moment)
    assert len(text) <= 25
    assert parse_datetime(text) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert on_the_wire(text) == text


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_the_offset_never_changes_the_moment(moment: datetime, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    try:
        text = moment.astimezone(zone).isoformat()
    except OverflowError:
        return
    assert parse_datetime(text) == moment
    assert parse_datetime(on_the_wire(text)) == moment
    assert on_the_wire(text).endswith("Z")


@given(MOMENTS, st.text("0123456789", min_size=1, max_size=9))
def test_the_digits_of_a_fraction_are_kept(moment: datetime, digits: str) -> None:
    text = moment.replace(microsecond=0, tzinfo=None).isoformat() + f".{digits}"
    assert on_the_wire(text) == on_the_wire(text + "Z") == text + "Z"


@given(st.text())
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        assert parse_datetime(text).tzinfo is timezone.utc
    except ValueError as refused:
        assert text not in str(refused) or len(text) < 20
