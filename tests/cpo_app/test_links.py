"""The Link header: what peers write is read, what we write can be read."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpo_app.links import format_next, parse_next

URL = "https://www.server.com/ocpi/cpo/2.2.1/cdrs/?offset=150&limit=50"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f'<{URL}>; rel="next"', URL),  # the text's example
        (f"<{URL}>; rel=next", URL),
        (f'<{URL}>;rel="next"', URL),
        (f'  <{URL}>  ;  rel = "next"  ', URL),
        (f'<{URL}>; REL="NEXT"', URL),
        (f'<{URL}>; rel="last next"', URL),
        (f'<{URL}>; title="a; rel=\\"prev\\", <b>"; rel="next"', URL),
        (f'<https://a.example/1>; rel="prev", <{URL}>; rel="next"', URL),
        (f'<https://a.example/1,2>; rel=first,, <{URL}>; rel="next", <x>; rel=last', URL),
        (f'<{URL}>; rel="next"; rel="prev"', URL),
        (f"<{URL}>; flag; rel=next;", URL),
        ("</cdrs?offset=50>; rel=next", "/cdrs?offset=50"),
        (
            "<https://www.server.com/cdrs/?offset=100\r\n   &limit=100>; rel=next",
            "https://www.server.com/cdrs/?offset=100&limit=100",
        ),
        (f'<{URL}>; rel="prev"; rel="next"', None),  # the first rel counts
        (f'<{URL}>; rel="nextish"', None),
        (f'<{URL}>; rel="next"; anchor="#foo"', None),
        (f"<{URL}>", None),
        (f"{URL}; rel=next", None),
        (f"<{URL}; rel=next", None),
        ("<>; rel=next", None),
        ('<a>; rel="next', "a"),
        ("garbage", None),
        ("", None),
        (None, None),
    ],
)
def test_parse_next(header: str | None, expected: str | None) -> None:
    assert parse_next(header) == expected


URL_CHARS = sorted(set(string.ascii_letters + string.digits + string.punctuation) - set("<>"))
urls = st.text(URL_CHARS, min_size=1, max_size=80)


@given(urls)
def test_what_is_formatted_is_parsed_back(url: str) -> None:
    assert parse_next(format_next(url)) == url


@given(urls, urls, st.text(URL_CHARS, max_size=20).map(lambda t: t.replace('"', "")))
def test_other_links_around_it_do_not_hide_it(url: str, other: str, title: str) -> None:
    title = title.replace("\\", "")
    header = f'<{other}>; rel="prev"; title="{title}, <z>; rel=next", {format_next(url)}'
    assert parse_next(header) == url


@given(st.text(st.sampled_from('<>;,="\\ \trelnxt*-/a'), max_size=200))
def test_no_header_makes_it_fail(header: str) -> None:
    found = parse_next(header)
    assert found is None or (found and found in "".join(header.split()))


def test_a_hostile_header_is_read_in_linear_time() -> None:
    # Backtracking would take hours on these; the test's timeout is the judge.
    for evil in ("<a>;" * 50_000, "<a" * 50_000, '<a>; x="' + "\\" * 100_000, "<a>," * 50_000):
        assert parse_next(evil) is None


@pytest.mark.parametrize("url", ["", "https://a b", "https://a/\r\nX: y", "https://a/>", "é", "a<"])
def test_format_refuses_what_would_break_the_header(url: str) -> None:
    with pytest.raises(ValueError, match="Link header"):
        format_next(url)
