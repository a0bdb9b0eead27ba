"""Metadata is shown without hosts, ports, addresses and secrets, however they are called."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.sites import public_metadata
from domain.sites.public import is_public_url


def test_harmless_facts_are_shown() -> None:
    metadata = {
        "power_rating": "22kW",
        "type": "AC",
        "name": "Airport P3, level 2",
        "airport": "BER",
        "support": "+49 30 123456",
        "coordinates": {"latitude": 52.5, "longitude": 13.4},
        "connectors": [{"id": "1", "standard": "CCS", "tariff_ids": ["T1"]}],
        "operator": {"name": "Acme", "website": "https://acme.example.com/charging"},
        "opening_times": {"regular_hours": [{"weekday": 1, "period_begin": "08:00"}]},
        "state": None,
        "publish": True,
    }

    assert public_metadata(metadata) == metadata


@pytest.mark.parametrize(
    "key",
    [
        *("host", "cp_e_host", "cpEHost", "cpehost", "HOSTNAME", "port", "cp_e_port", "cpEPort"),
        *("engineport", "ip", "ip_address", "ipAddress", "mgmt-ip", "mac", "gateway", "vpn"),
        *("key", "api_key", "apiKey", "APIKEY", "secret", "client-secret", "token", "authToken"),
        *("password", "passwd", "pwd", "passphrase", "credentials", "private_key", "certificate"),
        *("login", "username", "jwt", "ssid", "publish_allowed_to", "10.0.0.1", "endpoint"),
    ],
)
def test_inner_keys_are_dropped_at_any_depth(key: str) -> None:
    nested = {"a": [{"b": {key: "x", "c": 1}}], key: 1}

    assert public_metadata(nested) == {"a": [{"b": {"c": 1}}]}


@pytest.mark.parametrize(
    "value",
    [
        *("10.0.0.5", "at 192.168.1.10 behind the wall", "::1", "fe80::1", "localhost"),
        *("http://engine:8001/health", "http://127.0.0.1/", "ev-cp-e-1:8001", "mongodb://db/x"),
        *("https://user:pw@example.com/", "http://cp.local/", "a" * 64, "Bearer abcdefghij"),
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x",
        "-----BEGIN CERTIFICATE-----",
    ],
)
def test_inner_values_are_dropped_whatever_their_key(value: str) -> None:
    assert public_metadata({"note": value, "notes": ["fine", value]}) == {"notes": ["fine"]}


@pytest.mark.parametrize("value", ["2024-05-01T12:00:00Z", "08:00", "https://8.8.8.8/", "22kW"])
def test_times_and_public_addresses_are_no_inner_values(value: str) -> None:
    assert public_metadata({"note": value}) == {"note": value}


@pytest.mark.parametrize("metadata", [None, [], "x", 1])
def test_what_is_no_metadata_shows_nothing(metadata: Any) -> None:
    assert public_metadata(metadata) == {}


def test_metadata_of_any_depth_is_survived() -> None:
    deep: Any = "end"
    for _ in range(5000):
        deep = {"a": deep}

    assert "end" not in repr(public_metadata(deep))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com/a", True),
        ("https://93.184.216.34/", True),
        ("https://example.com:444/", True),
        ("https://server/", False),
        ("http://[::1]/", False),
        ("http://2130706433/", False),
        ("http://printer.lan/", False),
        ("http://[bad/", False),
    ],
)
def test_a_public_url_names_a_host_of_the_open_internet(url: str, expected: bool) -> None:
    assert is_public_url(url) is expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)


@given(st.dictionaries(st.text(), JSON), st.text())
@settings(max_examples=150, deadline=None)
def test_no_metadata_shows_a_secret(metadata: dict[str, Any], suffix: str) -> None:
    metadata["x"] = {"y" + suffix: {"secret": "hunter2", "cpHost": "hunter2"}}

    assert "hunter2" not in repr(public_metadata(metadata))
