from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.backends.chainer import ChainerBackend
from keyring.errors import KeyringError
from pydantic import SecretStr, ValidationError

from cpo_app.charge_point import credentials_store
from cpo_app.charge_point.credentials_store import (
    CredentialsStore,
    StoredCredentials,
    real_keyring,
)
from cpo_app.charge_point.settings import EngineSettings, MonitorSettings
from cpo_app.charge_point.state_dir import link_key

KEPT = StoredCredentials("ab" * 32, "facts")


class Keyring(KeyringBackend):
    priority = 5

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringError("locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringError("locked")
        self.kept[service, username] = password


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_monitor_and_engine_find_the_same_private_key(tmp_path: Path) -> None:
    first = link_key(None, tmp_path / "state", "CP-001")
    assert link_key(None, tmp_path / "state", "CP-001") == first
    assert link_key(None, tmp_path / "state", "CP-002") != first
    assert len(first) == 64
    assert mode(tmp_path / "state") == 0o700
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == [
        "link-CP-001.key", "link-CP-002.key",
    ]  # fmt: skip
    assert mode(tmp_path / "state" / "link-CP-001.key") == 0o600


def test_a_configured_key_wins_and_no_file_is_made(tmp_path: Path) -> None:
    assert link_key(SecretStr("k" * 16), tmp_path, "CP-001") == "k" * 16
    assert list(tmp_path.iterdir()) == []


def test_an_emptied_key_file_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "link-CP-001.key").write_text("")
    with pytest.raises(ValueError, match="no usable key"):
        link_key(None, tmp_path, "CP-001")


def test_credentials_are_kept_in_a_private_file_without_a_keyring(tmp_path: Path) -> None:
    store = CredentialsStore("CP-001", tmp_path)
    assert asyncio.run(store.load()) is None
    asyncio.run(store.save(KEPT))
    assert mode(store.path) == 0o600
    assert asyncio.run(CredentialsStore("CP-001", tmp_path).load()) == KEPT
    assert asyncio.run(CredentialsStore("CP-002", tmp_path).load()) is None


def test_a_file_that_others_could_read_is_closed(tmp_path: Path) -> None:
    store = CredentialsStore("CP-001", tmp_path)
    asyncio.run(store.save(KEPT))
    store.path.chmod(0o644)
    assert asyncio.run(store.load()) == KEPT
    assert mode(store.path) == 0o600


@pytest.mark.parametrize("text", ["{}", "[]", "{", json.dumps({"credentials": 5}), "a b"])
def test_a_damaged_file_counts_as_none(tmp_path: Path, text: str) -> None:
    store = CredentialsStore("CP-001", tmp_path)
    store.path.write_text(text)
    assert asyncio.run(store.load()) is None


def test_an_operator_may_put_the_bare_credentials_there(tmp_path: Path) -> None:
    store = CredentialsStore("CP-001", tmp_path)
    store.path.write_text("ab" * 32 + "\n")
    assert asyncio.run(store.load()) == StoredCredentials("ab" * 32)


def test_a_real_keyring_is_preferred_and_its_failure_falls_back(tmp_path: Path) -> None:
    keyring = Keyring()
    store = CredentialsStore("CP-001", tmp_path, keyring)
    asyncio.run(store.save(KEPT))
    assert asyncio.run(store.load()) == KEPT
    assert not store.path.exists()
    keyring.locked = True
    assert asyncio.run(store.load()) is None
    asyncio.run(store.save(KEPT))
    assert store.path.exists()
    assert asyncio.run(store.load()) == KEPT


@pytest.mark.parametrize(
    ("backend", "expected"), [(fail.Keyring(), None), (null.Keyring(), None), (Keyring(), Keyring)]
)
def test_a_keyring_that_only_pretends_is_none(
    monkeypatch: pytest.MonkeyPatch, backend: Any, expected: Any
) -> None:
    monkeypatch.setattr(credentials_store.keyring, "get_keyring", lambda: backend)  # type: ignore[attr-defined]
    found = real_keyring()
    assert type(found) is expected if expected else found is None


def test_a_chain_gives_its_real_part(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = ChainerBackend()
    monkeypatch.setattr(ChainerBackend, "backends", [null.Keyring(), real := Keyring()])
    monkeypatch.setattr(credentials_store.keyring, "get_keyring", lambda: chain)  # type: ignore[attr-defined]
    assert real_keyring() is real


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CP_STATE_DIR", "/var/lib/cp")
    monkeypatch.setenv("CP_ENGINE_HEALTH_PORT", "9001")
    monkeypatch.setenv("CP_MONITOR_METADATA", '{"city": "Berlin"}')
    monkeypatch.setenv("CP_MONITOR_LOCATION", "Berlin")
    monkeypatch.setenv("CP_MONITOR_CENTRAL_HOST", "central.example")
    assert EngineSettings().health_port == 9001
    assert EngineSettings().state_dir == Path("/var/lib/cp")
    assert MonitorSettings().metadata == {"city": "Berlin"}
    assert MonitorSettings().central_url == "http://central.example:8000"
    assert MonitorSettings(central_host="https://c.example/").central_url == "https://c.example"


@pytest.mark.parametrize(
    "fields",
    [
        {"cp_id": "../etc"},
        {"cp_id": "ab"},
        {"location": ""},
        {"link_key": "short"},
        {"log_level": "LOUD"},
    ],
)
def test_unusable_settings_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MonitorSettings(**{"location": "Berlin", **fields})
