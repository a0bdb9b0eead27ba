"""Every row of the texts' tables of methods and status codes: what a CPO's interface has in a
version is there, and of what it has not it is said so (405)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.versions import VERSIONS, OcpiVersion
from tests.cpo_app.ocpi.conftest import PeerSide

TEXT = json.loads((Path(__file__).parents[3] / "data" / "ocpi_methods.json").read_text())
PATHS = {
    "locations": ("locations", "locations/L1", "locations/L1/E1", "locations/L1/E1/1"),
    "sessions": ("sessions",),
    "cdrs": ("cdrs",),
    "tariffs": ("tariffs",),
    "tokens": ("tokens/DE/TNM/U1",),
    "commands": ("commands/STOP_SESSION",),
    "chargingprofiles": ("chargingprofiles/S1",),
    "hubclientinfo": ("hubclientinfo/DE/TNM",),
    "credentials": ("credentials",),
}
CHARGING_PREFERENCES = "sessions/S1/charging_preferences"
"""What sessions have a PUT for, and nothing else."""


def test_each_module_of_the_text_has_the_methods_of_its_table(peer: PeerSide) -> None:
    tables = TEXT[peer.version.number]["methods"]
    assert set(tables) == set(PATHS) & {row.identifier for row in peer.version.description.modules}
    for module, paths in PATHS.items():
        for method, there in tables.get(module, {}).items():
            if (module, method) == ("credentials", "POST"):
                continue  # 405 to who is registered, by the text
            asked = (CHARGING_PREFERENCES,) if (module, method) == ("sessions", "PUT") else paths
            if not there:
                asked = paths
            for path in asked:
                answer = peer.request(method, path, json={})
                said = (module, method, path, answer.status_code)
                assert (answer.status_code == 405) is not there, said
                assert answer.json()["status_code"] // 1000 in (1, 2, 3), said


def test_charging_preferences_are_put_alone(peer: PeerSide) -> None:
    there = TEXT[peer.version.number]["methods"]["sessions"]["PUT"]
    for method in ("GET", "POST", "PATCH", "DELETE"):
        answer = peer.request(method, CHARGING_PREFERENCES, json={})
        assert answer.status_code == (405 if there else 404), method


@pytest.mark.parametrize(
    ("interface", "path"),
    [
        ("Terminals Interface", "payments/terminals"),
        ("Financial Advice Confirmation Interface", "payments/financial-advice-confirmations"),
    ],
)
def test_payments_have_the_methods_of_their_tables(
    peer: PeerSide, interface: str, path: str
) -> None:
    has_payments = "payments" in {row.identifier for row in peer.version.description.modules}
    there = {method for method, is_there in TEXT["payments"][interface].items() if is_there}
    assert there == {"GET", "POST"}
    for method, url in (("GET", f"{path}/1"), ("POST", path)):
        answer = peer.request(method, url, json={})
        assert answer.status_code != 405
        is_there = "nothing under this path" not in answer.json()["status_message"]
        assert is_there is has_payments
    for method in ("PUT", "PATCH", "DELETE"):
        expected = 405 if has_payments else 404
        assert peer.request(method, f"{path}/1", json={}).status_code == expected


@pytest.mark.parametrize("version", VERSIONS.values(), ids=list(VERSIONS))
def test_the_status_codes_are_those_of_the_texts_table(version: OcpiVersion) -> None:
    codes = set(TEXT[version.number]["status_codes"])
    every = {code for each in VERSIONS for code in TEXT[each]["status_codes"]}
    assert {version.description.status_code(code) for code in every} - {4000} <= codes
    assert all(version.description.status_code(code) == code for code in codes)
