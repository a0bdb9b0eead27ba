"""Settings and what fills them in: one clear line for what cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from cpo_app.bootstrap import prepare
from cpo_app.settings import Party, Settings, SettingsError, parse_parties, settings_refused
from cpo_app.unsafe_settings import unsafe_settings
from tests.settings_of import settings_of


def given(**values: object) -> Settings:
    return settings_of(**values)


def refused(**values: object) -> str:
    with pytest.raises(ValidationError) as refusal:
        settings_of(**values)
    return settings_refused(refusal.value)


@pytest.mark.parametrize(
    ("text", "parties"),
    [
        ("", []),
        ("NL/EVC=Eve", [Party("NL", "EVC", "Eve")]),
        (" NL/EVC , DE/ABC=A B ", [Party("NL", "EVC", "EVC"), Party("DE", "ABC", "A B")]),
        ('[{"country_code": "NL", "party_id": "EVC"}]', [Party("NL", "EVC", "EVC")]),
    ],
)
def test_parties_are_read_in_both_forms(text: str, parties: list[Party]) -> None:
    assert parse_parties(text) == parties


@pytest.mark.parametrize("text", ["NLEVC", "NL/EVCX", "N/EVC=x", "[1]", "[{}]", '{"a": 1}', "[x"])
def test_parties_that_cannot_be_are_refused_by_name(text: str) -> None:
    assert refused(CPO_PARTIES=text).startswith("CPO_PARTIES: ")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("COUNTRY_CODE", "GERMANY", "is not a country code of two letters"),
        ("COUNTRY_CODE", "", "is not a country code of two letters"),
        ("PARTY_ID", "TOOLONG", "is not a party id of three letters or digits"),
        ("PARTY_ID", "A/B", "is not a party id of three letters or digits"),
        ("OCPI_HOST", "https://foo.example/", "is not host or host:port"),
        ("OCPI_HOST", "foo.example/ocpi", "is not host or host:port"),
        ("OCPI_HOST", "foo.example:99999", "is not a port"),
        ("OCPI_HOST", "foo..example", "is not the name of a host"),
        ("OCPI_HOST", "[::zz]", "is not host or host:port"),
        ("OCPI_PREFIX", "/ocpi/", "without slashes at its ends"),
        ("OCPI_PREFIX", "", "without slashes at its ends"),
        ("CENTRAL_PORT", 0, "is not a port"),
        ("CPO_MAP_TILES", "tiles.example/{z}/{x}/{y}.png", "is not like https://tiles.example"),
        ("CPO_MAP_TILES", "https://a:b@tiles.example/{z}/{x}/{y}", "is not like https://"),
        ("CPO_MAP_TILES", "https://{s}.tiles.example/{z}/{x}/{y}", "is not the host of tiles"),
        ("CPO_MAP_TILES", "https://*.example/{z}/{x}/{y}", "is not the host of tiles"),
        ("CPO_MAP_TILES", "https://tiles.example;x/{z}/{x}/{y}", "is not the host of tiles"),
        ("CPO_MAP_TILES", "https://[::1]/{z}/{x}/{y}", "is a name or an IPv4 address"),
        ("CPO_MAP_TILES", "https://tiles.example/{z}/{x}.png", "has not {z}, {x} and {y}"),
        ("CPO_MAP_TILES", "https://tiles.example/{z}/{x}/{y}{r}", "has not {z}, {x} and {y}"),
        ("CPO_MAP_TILES", "https://tiles.example/{z} {x}/{y}", "has not {z}, {x} and {y}"),
        ("REGISTRY_API_PORT", 99999, "is not a port"),
        ("CPO_LOG_LEVEL", "LOUD", "is none of DEBUG, INFO"),
        ("REGISTRY_LOG_LEVEL", "LOUD", "is none of DEBUG, INFO"),
        ("CPO_LOG_FORMAT", "xml", "is none of text, json"),
    ],
)
def test_what_cannot_be_is_refused_by_name(name: str, value: object, said: str) -> None:
    told = refused(**{name: value})
    assert told.startswith(f"{name}: ")
    assert said in told
    assert "\n" not in told


@pytest.mark.parametrize(
    "host", ["", "cpo.example", "cpo_1.example:8000", "127.0.0.1:8000", "[::1]:8000", "localhost"]
)
def test_hosts_that_can_be(host: str) -> None:
    assert host == given(OCPI_HOST=host).OCPI_HOST


def test_each_wrong_setting_has_a_line_of_its_own() -> None:
    told = refused(COUNTRY_CODE="GERMANY", CPO_LOG_FORMAT="xml")
    assert [line.partition(":")[0] for line in told.splitlines()] == [
        "CPO_LOG_FORMAT",
        "COUNTRY_CODE",
    ]


def test_the_platforms_own_party_is_the_default() -> None:
    own = given(COUNTRY_CODE="BE", PARTY_ID="BEC", PROJECT_NAME="Us").parties
    assert own == [Party("BE", "BEC", "Us")]
    assert own[0].key == "be*bec"


def test_urls_follow_host_protocol_and_port() -> None:
    assert given(CENTRAL_PORT=8123).versions_url == "http://127.0.0.1:8123/ocpi/versions"
    named = given(OCPI_HOST="cpo.example", PROTOCOL="https", OCPI_PREFIX="roaming")
    assert named.versions_url == "https://cpo.example/roaming/versions"


@pytest.mark.parametrize(
    ("missing", "complaint"),
    [
        ({"CPO_ENCRYPTION_KEY": ""}, "CPO_ENCRYPTION_KEY is not set"),
        ({"CPO_ENCRYPTION_KEY": "short"}, "CPO_ENCRYPTION_KEY is shorter than 32 bytes"),
        ({"REGISTRY_SECRET_KEY": ""}, "REGISTRY_SECRET_KEY is not set"),
        ({"REGISTRY_SECRET_KEY": "short"}, "REGISTRY_SECRET_KEY is shorter than 32 bytes"),
    ],
)
def test_with_a_database_of_ones_own_the_secrets_have_to_be_given(
    missing: dict[str, str], complaint: str
) -> None:
    secrets = {"CPO_ENCRYPTION_KEY": "e" * 32, "REGISTRY_SECRET_KEY": "r" * 32, **missing}
    with pytest.raises(SettingsError) as refused:
        prepare(given(CPO_MONGO_URL="mongodb://127.0.0.1:1", **secrets))
    assert str(refused.value).startswith(complaint)
    assert "short" not in str(refused.value).replace("shorter", "")


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"CPO_ADMIN_PASSWORD": "hunter2hunt"}, "CPO_ADMIN_PASSWORD is shorter than 12 characters"),
        ({"REGISTRY_ADMIN_API_KEY": "k" * 15}, "REGISTRY_ADMIN_API_KEY is shorter than 16 char"),
        ({"OCPI_HOST": "cpo.example.com"}, "PROTOCOL is http, and OCPI_HOST (cpo.example.com) is"),
        ({"OCPI_HOST": "8.8.8.8:8000"}, "PROTOCOL is http, and OCPI_HOST (8.8.8.8) is public"),
        ({"OCPI_HOST": "[2600::1]:80"}, "PROTOCOL is http, and OCPI_HOST (2600::1) is public"),
    ],
)
def test_what_is_unsafe_is_refused_in_one_line_before_anything_starts(
    tmp_path: Path, values: dict[str, str], complaint: str
) -> None:
    directory = tmp_path / "data"
    with pytest.raises(SettingsError) as refused:
        prepare(given(CPO_DATA_DIR=directory, **values))
    said = str(refused.value)
    assert said.startswith(complaint) and "\n" not in said
    assert "openssl rand" in said or "PROTOCOL=https" in said, "how to mend it"
    assert "hunter2" not in said and "kkk" not in said
    assert not directory.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"CPO_ADMIN_PASSWORD": "x" * 12, "REGISTRY_ADMIN_API_KEY": "k" * 16},
        {"OCPI_HOST": "localhost:8000"},
        {"OCPI_HOST": "ev-central:8000"},
        {"OCPI_HOST": "cpo.internal"},
        {"OCPI_HOST": "192.168.1.7:8000"},
        {"OCPI_HOST": "[::1]:8000"},
        {"OCPI_HOST": "cpo.example.com", "PROTOCOL": "https"},
        {"OCPI_HOST": "cpo.example.com", "CPO_ALLOW_PLAIN_HTTP": True},
    ],
)
def test_what_is_safe_enough_is_not(values: dict[str, object]) -> None:
    assert list(unsafe_settings(given(**values))) == []


def test_embedded_secrets_are_made_once_and_the_second_finds_the_first(tmp_path: Path) -> None:
    settings = given(CPO_DATA_DIR=tmp_path / "data")
    with prepare(settings) as owner:
        with prepare(settings) as guest:
            assert guest.embedded is None
            assert guest.settings == owner.settings
        made = owner.settings
    assert len(made.CPO_ENCRYPTION_KEY) == len(made.REGISTRY_SECRET_KEY) == 64
    assert made.CPO_ENCRYPTION_KEY != made.REGISTRY_SECRET_KEY
    with prepare(settings) as again:
        assert again.settings.REGISTRY_SECRET_KEY == made.REGISTRY_SECRET_KEY
