"""CiString, string, URL and the strings with a pattern: what is printable, what keeps its case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.schemas import (
    Credentials,
    GeoLocation,
    Image,
    Location,
    RegularHours,
    SchemaError,
    StopSession,
    TariffRestrictions,
    Token,
    validate,
)
from tests.domain.schemas import samples


def refused_paths(model: type, data: object) -> list[str]:
    with pytest.raises(SchemaError) as refused:
        validate(model, data)
    return [path for path, _ in refused.value.errors]


def test_a_cistring_keeps_its_case() -> None:
    token = samples.token(uid="AbC-xyZ", contract_id="de-8AA-cA2B3C4D5-N", country_code="de")
    assert validate(Token, token) == token


@pytest.mark.parametrize("wrong", ["x\ty", "x\n", "x\r\ny", "x\x00", "\x7f", "zürich", "“x”", ""])
def test_a_cistring_is_printable_ascii(wrong: str) -> None:
    assert refused_paths(Token, samples.token(contract_id=wrong)) == ["contract_id"]


@pytest.mark.parametrize(
    "wrong", ["a\r\nb", "a\u0000", "\x1b[31m", "\x7f", "\x85", "a\u2028b", "a\u2029b", "\ud800"]
)
def test_a_string_holds_no_control_characters(wrong: str) -> None:
    assert refused_paths(Token, samples.token(issuer=wrong)) == ["issuer"]


@pytest.mark.parametrize(
    "right", ["Zürich Gäßli", "充電ステーション", "مواقف", "👨‍👩‍👧 ⚡", "a\u00a0b", ""]
)
def test_a_string_is_printable_utf_8(right: str) -> None:
    assert validate(Token, samples.token(issuer=right))["issuer"] == right


@given(st.text(max_size=64))
def test_any_string_comes_out_as_it_went_in_or_not_at_all(text: str) -> None:
    try:
        assert validate(Token, samples.token(issuer=text))["issuer"] == text
    except SchemaError:
        assert any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" for c in text)


@pytest.mark.parametrize("wrong", [1, 1.5, True, ["x"], {"x": 1}, b"x"])
def test_nothing_else_is_taken_for_a_string(wrong: object) -> None:
    assert refused_paths(Token, samples.token(uid=wrong, issuer=wrong)) == ["uid", "issuer"]


@pytest.mark.parametrize(
    "right",
    [
        "https://example.com",
        "HTTPS://Example.com/OCPI",
        "http://localhost:8000/ocpi/emsp/2.2.1/commands/START_SESSION/1?a=b&c=%20#top",
        "https://[2001:db8::1]:443/versions",
        "https://user@example.com/",
        "https://charge_point.example.com/a(b)/c;d,e",
    ],
)
def test_an_http_url_is_a_url(right: str) -> None:
    assert (
        validate(StopSession, {"response_url": right, "session_id": "1"})["response_url"] == right
    )


@pytest.mark.parametrize(
    "wrong",
    [
        "not a url",
        "",
        "example.com",
        "/ocpi/versions",
        "//example.com",
        "https://",
        "https:///path",
        "https://:443/",
        "https://example.com:99999/",
        "https://example.com:port/",
        "ftp://example.com/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://example.com/a b",
        "https://example.com/\r\nX: y",
        "https://example.com\\@evil.example/",
        "https://exämple.com/",
        "https://example.com/".ljust(256, "x"),
        None,
        7,
    ],
)
def test_anything_else_is_not(wrong: object) -> None:
    assert refused_paths(StopSession, {"response_url": wrong, "session_id": "1"}) == [
        "response_url"
    ]


@pytest.mark.parametrize(
    ("latitude", "longitude", "paths"),
    [
        ("50.770774", "-126.104965", []),
        ("-5.12345", "3.1234567", []),
        ("50.7707", "6.104965", ["latitude"]),
        ("50.77077412", "6.104965", ["latitude"]),
        ("150.77077", "1126.10496", ["latitude", "longitude"]),
        ("50,770774", "+6.104965", ["latitude", "longitude"]),
        (50.770774, 6.104965, ["latitude", "longitude"]),
    ],
)
def test_coordinates_have_the_texts_pattern(
    latitude: object, longitude: object, paths: list[str]
) -> None:
    data = {"latitude": latitude, "longitude": longitude}
    if paths:
        assert refused_paths(GeoLocation, data) == paths
    else:
        assert validate(GeoLocation, data) == data


@pytest.mark.parametrize("wrong", ["8:00", "24:00", "12:60", "12:00:00", "12.00", "", 800])
def test_a_time_of_day_has_two_digits_each(wrong: object) -> None:
    hours = {"weekday": 1, "period_begin": wrong, "period_end": "23:59"}
    assert refused_paths(RegularHours, hours) == ["period_begin"]
    assert refused_paths(TariffRestrictions, {"end_time": wrong}) == ["end_time"]


@pytest.mark.parametrize(
    "wrong", ["2019-02-30", "2019-2-3", "24-12-2019", "20191224", "0999-01-01"]
)
def test_a_local_date_exists_and_has_the_texts_pattern(wrong: str) -> None:
    assert refused_paths(TariffRestrictions, {"start_date": wrong}) == ["start_date"]


@pytest.mark.parametrize("weekday", [0, 8, "1", 1.0, True])
def test_a_weekday_is_1_to_7(weekday: object) -> None:
    hours = {"weekday": weekday, "period_begin": "08:00", "period_end": "20:00"}
    assert refused_paths(RegularHours, hours) == ["weekday"]


def test_an_image_has_at_most_five_digits_of_pixels() -> None:
    image = {"url": "https://example.com/a.png", "category": "OPERATOR", "type": "png"}
    assert validate(Image, {**image, "width": 99999, "height": 0})["width"] == 99999
    assert refused_paths(Image, {**image, "width": 100000, "height": -1}) == ["width", "height"]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("country_code", "B"),
        ("country_code", "BEL"),
        ("country_code", "B1"),
        ("country", "BE"),
        ("party_id", "BECH"),
        ("time_zone", "Europe/Ghent"),
        ("time_zone", "UTC+1"),
    ],
)
def test_codes_have_the_form_of_their_standard(field: str, wrong: str) -> None:
    assert refused_paths(Location, samples.location(**{field: wrong})) == [field]


@pytest.mark.parametrize("wrong", ["tok en", "token\r\n", "", "tökén", "t" * 65, None, 5])
def test_a_credentials_token_is_printable_and_without_blanks(wrong: object) -> None:
    assert refused_paths(Credentials, samples.credentials(token=wrong)) == ["token"]
