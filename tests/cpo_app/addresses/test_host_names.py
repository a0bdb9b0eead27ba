"""Whose a host name is, by its looks alone."""

from __future__ import annotations

import pytest

from cpo_app.addresses.host_names import can_be_rebound, is_loopback, is_public, name_in


@pytest.mark.parametrize(
    ("netloc", "name"),
    [("a.example:80", "a.example"), ("a", "a"), ("[::1]:8000", "::1"), ("", ""), ("[::1", "::1")],
)
def test_the_name_in_a_host_header(netloc: str, name: str) -> None:
    assert name_in(netloc) == name


@pytest.mark.parametrize(
    ("host", "loopback", "public", "rebound"),
    [
        ("localhost", True, False, False),
        ("LOCALHOST", True, False, False),
        ("127.0.0.1", True, False, False),
        ("::1", True, False, False),
        ("192.168.1.5", False, False, False),
        ("8.8.8.8", False, True, False),
        ("2600::1", False, True, False),
        ("ev-central", False, False, False),
        ("cpo.internal", False, False, False),
        ("printer.local", False, False, False),
        ("evil.example", False, True, True),
        ("evil.example.", False, True, True),
        ("localhost.evil.example", False, True, True),
        ("127.0.0.1.nip.io", False, True, True),
        ("", False, False, False),
    ],
)
def test_whose_it_is(host: str, loopback: bool, public: bool, rebound: bool) -> None:
    assert (is_loopback(host), is_public(host), can_be_rebound(host)) == (loopback, public, rebound)
