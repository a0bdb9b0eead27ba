"""Metadata is shown by the keys that the docs name, and the operator sees no secret in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.sites import public_metadata, redacted_metadata
from domain.sites.public import PUBLISHED, is_public_url
from tests.drawn import drawn


def test_harmless_facts_are_shown() -> None:
    metadata = {
        "power_rating": "22kW",
        "type": "AC",
        "name": "Airport P3, level 2",
        "coordinates": {"latitude": 52.5, "longitude": 13.4},
        "connectors": [{"id": "1", "standard": "CCS", "tariff_ids": ["T1"]}],
        "operator": {"name": "Acme", "website": "https://acme.example.com/charging"},
        "opening_times": {"regular_hours": [{"weekday": 1, "period_begin": "08:00"}]},
        "state": None,
        "publish": True,
    }

    assert public_metadata(metadata) == metadata


LEAKED = {
    "wifi": "HomeNet / hunter2",
    "pw": "hunter2",
    "code": "hunter2",
    "pincode": "1234",
    "note": "admin login is root / hunter5",
    "owner_phone": "+49 30 123456",
    "contact": "Max Mustermann, max@example.com",
    "snmp_community": "public",
    "apn": "m2m.corp apnuser:apnpass",
    "iban": "DE02120300000000202051",
    "address2": "fd00::1 port 22",
    "publish_allowed_to": [{"uid": "CARD-1", "type": "RFID"}],
    "cp_e_host": "10.0.0.7",
}


def test_what_is_not_named_stays_in_the_house_at_any_depth() -> None:
    assert public_metadata(LEAKED) == {}
    assert public_metadata({"operator": {"name": "Acme", **LEAKED}, "evse": LEAKED}) == {
        "operator": {"name": "Acme"},
        "evse": {},
    }
    assert public_metadata({"evse": {"floor_level": "2"}}) == {"evse": {"floor_level": "2"}}


def test_the_page_names_what_is_published() -> None:
    page = (Path(__file__).parents[3] / "docs" / "registry.md").read_text()

    assert not [key for key in PUBLISHED if f"`{key}`" not in page]


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
    assert public_metadata({"name": value, "facilities": ["fine", value]}) == {
        "facilities": ["fine"]
    }


@pytest.mark.parametrize("value", ["2024-05-01T12:00:00Z", "08:00", "https://8.8.8.8/", "22kW"])
def test_times_and_public_addresses_are_no_inner_values(value: str) -> None:
    assert public_metadata({"name": value}) == {"name": value}


@pytest.mark.parametrize("metadata", [None, [], "x", 1])
def test_what_is_no_metadata_shows_nothing(metadata: Any) -> None:
    assert public_metadata(metadata) == {}


def test_metadata_of_any_depth_is_survived() -> None:
    deep: Any = "end"
    for _ in range(5000):
        deep = {"evse": {"name": deep}}

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
@settings(max_examples=drawn(50))
def test_no_metadata_shows_a_secret(metadata: dict[str, Any], suffix: str) -> None:
    metadata["operator"] = {"y" + suffix: {"secret": "hunter2", "cpHost": "hunter2"}}

    assert "hunter2" not in repr(public_metadata(metadata))


def test_the_operator_sees_no_secret() -> None:
    shown = redacted_metadata(
        {
            **LEAKED,
            "api_key": "S3CR3T-A",
            "modem": {"password": "hunter2", "imei": "3581"},
            "postal_code": "10178",
            "remark": "Bearer abcdefghijkl",
        }
    )

    assert "hunter" not in repr(shown) and "S3CR3T" not in repr(shown)
    assert "Bearer" not in repr(shown) and "apnpass" not in repr(shown)
    assert (shown["cp_e_host"], shown["postal_code"]) == ("10.0.0.7", "10178")
    assert shown["modem"]["imei"] == "3581"
