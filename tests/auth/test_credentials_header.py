"""The Authorization header: strict where the text is, tolerant where it errs itself."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.credentials_header import encoded, said_of_unknown, tokens_in

NOT_KNOWN = "The credentials token is not known"


def header(token: bytes) -> str:
    return "Token " + base64.b64encode(token).decode()


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64))
def test_what_is_encoded_is_read_again(token: str) -> None:
    assert tokens_in(encoded(token))[0] == token


def test_the_example_of_the_text_with_its_line_feed_is_read() -> None:
    assert tokens_in("Token ZXhhbXBsZS10b2tlbgo=")[0] == "example-token"


@pytest.mark.parametrize("scheme", ["Token", "token", "TOKEN"])
def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    assert tokens_in(f"{scheme} {base64.b64encode(b'abc').decode()}")[0] == "abc"


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "Token",
        "Token ",
        "Bearer YWJj",
        "Basic YWJj",
        "YWJj",
        "Token YWJj YWJj",
        "Token " + "A" * 600,
        "Token \x00",
    ],
)
def test_what_is_no_token_gives_none(value: str | None) -> None:
    assert tokens_in(value) == []


@pytest.mark.parametrize("text", ["!!YWJj==!!", "YWJ", "YWJj=", "_-8=", "not-base64!"])
def test_undecodable_base64_is_at_most_a_raw_token(text: str) -> None:
    assert tokens_in(f"Token {text}") == [text]


@pytest.mark.parametrize("token", [b"", b"a b", b"a\r\nb", b"\xff\xfe", b"tok\x00en"])
def test_a_token_that_no_token_may_look_like_is_not_decoded(token: bytes) -> None:
    assert len(tokens_in(header(token))) <= 1


@given(st.text(max_size=80))
def test_no_header_breaks_it(text: str) -> None:
    assert len(tokens_in(text)) <= 2
    assert len(tokens_in("Token " + text)) <= 2


@pytest.mark.parametrize(
    ("value", "encoded_there", "as_it_is_there"),
    [
        (
            None,
            "The Authorization header is missing; it is Token <Base64 of the credentials token>",
            "The Authorization header is missing; it is Token <the credentials token as it is>",
        ),
        (
            "Bearer YWJj",
            "The Authorization header is not of the form Token <Base64 of the credentials token>",
            "The Authorization header is not of the form Token <the credentials token as it is>",
        ),
        ("Token not-base64!", f"{NOT_KNOWN}: is it Base64-encoded?", NOT_KNOWN),
        ("Token YWJj", NOT_KNOWN, f"{NOT_KNOWN}: is it sent as it is, not in Base64?"),
    ],
)
def test_whoever_is_not_let_in_is_told_what_may_be_wrong(
    value: str | None, encoded_there: str, as_it_is_there: str
) -> None:
    assert said_of_unknown(value) == encoded_there
    assert said_of_unknown(value, [False]) == as_it_is_there


@pytest.mark.parametrize("value", ["Token not-base64!", "Token YWJj"])
def test_where_either_form_will_do_none_is_advised(value: str) -> None:
    assert said_of_unknown(value, [True, False]) == NOT_KNOWN
