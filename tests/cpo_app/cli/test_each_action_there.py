"""Every action is done at `--server`: each by its own command, with the store out of reach."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import pytest

from cpo_app.actions.catalog import all_actions
from tests.cpo_app.api.conftest import api
from tests.cpo_app.cli.test_remote import There, there
from tests.cpo_app.registry.pki import self_signed

__all__ = ["api", "there"]

ARGUMENTS: Mapping[str, Sequence[str]] = {
    "peers.invite": ("--name", "MSP"),
    "peers.connect": ("--versions-url", "https://msp.invalid/versions", "--token", "-"),
    "peers.move_party": ("NL/TNM", "--to", "x"),
    "peers.release_party": ("NL/TNM",),
    "peers.require": ("x", "--none"),
    "peers.require_modules": ("x", "--none"),
    "peers.give_groups": ("x", "all"),
    "peers.offer_versions": ("x", "--all"),
    "peers.ask_unknown": ("x", "on"),
    "peers.quirk": ("x", "no_patch", "on"),
    "peers.add_access_point": (
        *("--name", "NAP", "--party", "NL/NDW", "--locations-url", "https://nap.example/locations"),
        *("--token", "-"),
    ),
    "peers.approve_clients": ("x", "--approve", "all"),
    "peers.refuse_clients": ("x", "--refuse", "all"),
    "peers.clients_automatic": ("x", "--automatic", "on"),
    "charge_points.enrol": ("CP-900",),
    "charge_points.add": ("CP-901", "--ocpp"),
    "charge_points.refuse_box": ("CP-999",),
    "charge_points.ocpp_password": ("CP-999", "--yes"),
    "charge_points.ocpp_quirk": ("CP-999", "slow_calls", "on"),
    "charge_points.set_meter_key": ("x", "--set", "FILE"),
    "charge_points.remove_meter_key": ("x", "--remove"),
    "charge_points.replay": ("x/y/1",),
    "charge_points.drop": ("x/y/1",),
    "ocpp.trigger": ("x", "Heartbeat"),
    "ocpp.configure": ("x", "HeartbeatInterval", "60"),
    "ocpp.call": ("x", "GetLocalListVersion"),
    "ocpp.firmware": ("x", "https://maker.example/fw.bin", "--yes"),
    "ocpp.install_certificate": ("x", "PEM", "--yes"),
    "ocpp.delete_certificate": ("x", "0a1b", "--yes"),
    "ocpp.put_template": ("usual", "HeartbeatInterval=60"),
    "commands.start": ("x", "--no-wait"),
    "commands.stop": ("x", "--no-wait"),
    "commands.unlock": ("x", "--no-wait"),
    "commands.reserve": ("x", "--no-wait"),
    "commands.cancel_reservation": ("x", "--no-wait"),
    "cdrs.credit": ("x", "--kwh", "8"),
    "tariffs.import": ("FILE",),
    "tariffs.default": ("--none",),
    "tariffs.assign": ("x", "T1"),
    "terminals.assign": ("x", "T-1"),
    "terminals.activate": ("x", "--reference", "SN-1"),
    "terminals.deactivate": ("x", "T-1", "--yes"),
    "locations.import": ("FILE",),
    "locations.group": ("G", "add", "x"),
    "locations.ungroup": ("G", "remove", "x"),
    "locations.set_groups": ("x", "G"),
    "operators.add": ("ines", "--role", "viewer", "--generate"),
    "operators.role": ("x", "viewer"),
    "operators.password": ("x", "--generate"),
    "operators.totp": ("x", "on"),
    "keys.add": ("ci", "--role", "viewer"),
    "secrets.rotate": (),
    "tokens.erase": ("-", "--yes"),
    "audit.verify": (),
    "notices.test": (),
    "events.resync": ("--all",),
    "events.off": ("--yes",),
}
"""What a command is told; those that are not here are told one id."""
COMMANDS = {
    **{
        f"ocpp.{name}": f"charge-points {name.replace('_', '-')}"
        for name in (
            "reset",
            "trigger",
            "clear_cache",
            "configuration",
            "configure",
            "logs",
            "local_list",
            "firmware",
            "certificates",
            "install_certificate",
            "delete_certificate",
        )
    },
    "ocpp.call": "charge-points ocpp-call",
    "ocpp.put_template": "charge-points templates put",
    "ocpp.remove_template": "charge-points templates remove",
    "ocpp.apply_templates": "charge-points templates apply",
    "charge_points.set_operative": "charge-points out-of-service",
    "charge_points.let_in": "charge-points approve",
    "charge_points.set_meter_key": "charge-points meter-key",
    "charge_points.remove_meter_key": "charge-points meter-key",
    "charge_points.replay": "charge-points dead-letters replay",
    "charge_points.drop": "charge-points dead-letters drop",
    "peers.give_groups": "peers groups",
    "peers.approve_clients": "peers clients",
    "peers.refuse_clients": "peers clients",
    "peers.clients_automatic": "peers clients",
    "locations.ungroup": "locations group",
}
"""Where a command is not called as its action is."""
NO_SUCH_ROUTE = "Not Found"


@pytest.fixture
def asked(there: There, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, httpx.Response]]:
    """Each request with its answer."""
    seen: list[tuple[str, httpx.Response]] = []
    really = httpx.request

    def request(method: str, url: str, **options: object) -> httpx.Response:
        answer = really(method, url, **options)  # type: ignore[arg-type]
        seen.append((f"{method} {httpx.URL(url).raw_path.decode()}", answer))
        return answer

    monkeypatch.setattr(httpx, "request", request)
    return seen


def test_each_is_done_there_by_its_own_command(
    there: There,
    asked: list[tuple[str, httpx.Response]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "file.json"
    file.write_text(json.dumps([{"id": "X"}]))
    certificate = tmp_path / "root.pem"
    certificate.write_text(self_signed("root").certificate_pem)
    for action in all_actions():
        monkeypatch.setattr("sys.stdin", io.StringIO("secret-of-somebody\n"))
        usual = action.name.replace("_", "-").replace(".", " ")
        told = ARGUMENTS.get(action.name, ("x",))
        files = {"FILE": str(file), "PEM": str(certificate)}
        words = [files.get(word, word) for word in told]
        asked.clear()

        ran = there(*COMMANDS.get(action.name, usual).split(), *words)

        path = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(f"/api/v1{action.path}"))
        (line, answer), *_ = [*asked, ("nothing was asked", None)]
        assert re.fullmatch(f"POST {path}", line), (action.name, line, ran.err)
        assert answer is not None
        # Done, or not possible for want of what it is about: but understood.
        assert answer.status_code in (200, 404, 409, 424), (action.name, answer.text)
        said = answer.json()
        assert said.get("detail") != NO_SUCH_ROUTE
        if answer.status_code != 200:
            assert ran.code == 1 and said["detail"] in ran.err, (action.name, ran.err)
    assert ARGUMENTS.keys() <= {action.name for action in all_actions()}


def test_what_is_made_there_is_printed_here(there: There) -> None:
    password = there("operators", "add", "ines", "--role", "viewer", "--generate").out.strip()
    assert len(password) >= 20
    assert [row["name"] for row in there("operators", "list", "--json").json()] == ["ines"]
    key = there("keys", "add", "ci", "--role", "viewer").out.strip()
    assert key.startswith("cpo_")
    assert "ci" in [row["name"] for row in there("keys", "list", "--json").json()]
    link = there("operators", "login-link", "ines")
    assert "/login/once/" in link.out, link.err
    assert there("secrets", "status", "--json").json()["older_keys_given"] == 0
    assert there("commands", "list", "--json").json() == []
    assert there("tariffs", "assigned", "--json").json() == []
    assert there("terminals", "list", "--json").json() == []
    assert there("terminals", "confirmations", "--json").json() == []
