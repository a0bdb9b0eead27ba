"""docker-compose.yml keeps what docs/security.md promises of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGE = (REPOSITORY / "docker-compose.yml").read_text()


def service(name: str) -> str:
    """The text of one service."""
    found = re.search(rf"^  {name}:\n(.*?)(?=^  \S|^\S|\Z)", PAGE, re.M | re.S)
    assert found is not None, name
    return found[1]


def test_no_charge_point_holds_the_operators_key() -> None:
    assert "REGISTRY_API_KEY" not in PAGE.replace("REGISTRY_ADMIN_API_KEY", "")
    for name in ("ev-cp-m-1", "ev-cp-e-1", "ev-cp-m-2", "ev-cp-e-2"):
        text = service(name)
        assert "ADMIN" not in text and "env_file" not in text and "*store" not in text
    assert "CP_MONITOR_ENROLMENT_TOKEN" in service("ev-cp-m-1")


def test_no_charge_point_reaches_the_store() -> None:
    assert "networks: [store-network]" in service("mongo")
    assert [
        name
        for name in re.findall(r"^  (ev-cp-\S+):", PAGE, re.M)
        if "store-network" in service(name) or "*server" in service(name)
    ] == []
    assert "keyFile" in service("mongo") and 'role: "readWrite", db: "cpo"' in service("mongo")
    assert 'MONGO_ROOT_PASSWORD: ""' in PAGE, "env_file must not hand it to the servers"
    assert "mongodb://cpo:${MONGO_PASSWORD:?" in PAGE


def test_ports_are_this_hosts_alone_and_secrets_are_demanded() -> None:
    ports = re.findall(r"ports: \[(.*)\]", PAGE)
    assert ports and all(port.startswith('"${BIND:-127.0.0.1}:') for port in ports)
    for name in ("REGISTRY_SECRET_KEY", "REGISTRY_ADMIN_API_KEY", "CPO_ENCRYPTION_KEY"):
        assert f"{name}: ${{{name}:?" in PAGE


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\$\{([A-Z0-9_]+):\?", PAGE))))
def test_what_compose_demands_is_in_the_example(name: str) -> None:
    assert f"\n{name}=" in (REPOSITORY / ".env.example").read_text()
