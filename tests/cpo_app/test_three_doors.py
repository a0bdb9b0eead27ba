"""One action, three doors: each is on the console, in the API and on the command line, with the
same words and for the same roles; as viewer nothing can be changed, as operator no money.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.main import get_command

from cpo_app.actions.action import AnyAction
from cpo_app.actions.catalog import all_actions, named
from cpo_app.cli import remote
from cpo_app.cli.app import app as command_line
from cpo_app.cli.errors import CliError
from cpo_app.console.action_forms import form_of
from db_interface.database import Database
from domain.audit import refusals
from domain.audit.entries import AUDIT
from domain.operators.actor import Actor, ActorKind, Role, acting_as
from tests.conftest import Loop
from tests.cpo_app.api.conftest import Api, api

__all__ = ["api"]

CPO = get_command(command_line)
TEMPLATES = Path(__file__).parents[2] / "cpo_app/console/templates"
ACTIONS = tuple(all_actions())
MONEY = ("sessions.", "cdrs.", "tariffs.", "charge_points.replay", "charge_points.drop")
COMMANDS = {
    "charge_points.set_operative": "charge-points out-of-service",
    "charge_points.let_in": "charge-points approve",
    "charge_points.set_meter_key": "charge-points meter-key",
    "charge_points.remove_meter_key": "charge-points meter-key",
    "charge_points.replay": "charge-points dead-letters replay",
    "charge_points.drop": "charge-points dead-letters drop",
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
    "peers.give_groups": "peers groups",
    "peers.approve_clients": "peers clients",
    "peers.refuse_clients": "peers clients",
    "peers.clients_automatic": "peers clients",
    "locations.group": "locations group",
    "locations.ungroup": "locations group",
}
"""Where a command is not called as its action is."""


def command_of(action: AnyAction) -> str:
    usual = action.name.replace("_", "-").replace(".", " ")
    return COMMANDS.get(action.name, usual)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_it_is_a_command_with_the_same_words(action: AnyAction) -> None:
    found = CPO
    for word in command_of(action).split():
        found = found.get_command(None, word)  # type: ignore[attr-defined]
        assert found is not None, command_of(action)
    assert action.meaning in (found.help or "")


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_it_is_a_form_with_the_same_words_for_those_who_may(action: AnyAction) -> None:
    for role in Role:
        with acting_as(Actor(ActorKind.PERSON, "ines", role)):
            form = form_of(action.name, {}, {})
        assert (form is not None) is role.includes(action.needs)
    assert form is not None
    assert (form.title, form.meaning, form.path) == (
        action.title,
        action.meaning,
        f"/console{action.path}",
    )
    assert {one.name for one in form.inputs} == {
        field.alias for field in action.parameters.__fields__.values()
    }


def test_every_form_stands_on_a_page() -> None:
    text = "\n".join(path.read_text() for path in TEMPLATES.glob("*.html"))
    shown = set(re.findall(r"act\('(\w+\.\w+)'", text))
    assert "act('peers.' ~ name" in text and "act('sessions.' ~ name" in text
    shown |= {f"peers.{one}" for one in ("resume", "suspend", "resync", "narrow", "widen")}
    shown |= {f"sessions.{one}" for one in ("end", "release", "write_off")}
    assert shown == {action.name for action in ACTIONS}


def test_names_words_and_paths_are_each_ones_own() -> None:
    assert len({action.name for action in ACTIONS}) == len(ACTIONS)
    assert len({action.path for action in ACTIONS}) == len(ACTIONS)
    for action in ACTIONS:
        assert named(action.name) is action
        assert action.title and action.meaning.endswith(".") and action.said()
        for name in re.findall(r"\{(\w+)\}", action.path):
            assert name in action.parameters.__fields__, action.name
    assert named("peers.burn") is None and named("x") is None


def test_money_is_not_the_operators_and_a_viewer_may_nothing() -> None:
    for action in ACTIONS:
        assert action.needs is not Role.VIEWER
        if action.name.startswith(MONEY):
            assert action.needs.includes(Role.MONEY), action.name


@pytest.fixture
def shell(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """The command line with `--server`, which reaches the API of this test."""

    def request(method: str, url: str, **options: object) -> httpx.Response:
        options.pop("timeout")
        return api.loop.run(api.http.request(method, url, **options))  # type: ignore[arg-type]

    monkeypatch.setattr(httpx, "request", request)
    remote.choose("https://cpo.example")
    yield api
    remote.choose(None)


def parameters_of(action: AnyAction) -> dict[str, str]:
    """Enough for the way there: `x` for each field that stands in the path."""
    return dict.fromkeys(re.findall(r"\{(\w+)\}", action.path), "x")


def by_api(api: Api, action: AnyAction, role: Role) -> bool:
    """Whether the role may."""
    path = action.path.format(**parameters_of(action))
    return api.post(f"/v1{path}", {}, role).status_code != 403


def by_console(api: Api, action: AnyAction, role: Role) -> bool:
    path = action.path.format(**parameters_of(action))
    headers = {**api.as_role(role), "Origin": "http://cpo.example"}
    answer = api.loop.run(api.http.post(f"/console{path}", data={"x": "1"}, headers=headers))
    assert answer.status_code == 403  # else for want of a form's token
    return "needs the role" not in answer.text


def by_command(api: Api, action: AnyAction, role: Role, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setenv("CPO_API_KEY", api.keys[role])
    given = action.parameters.construct(None, **parameters_of(action))
    try:
        remote.call(action, given)
    except CliError as error:
        return "needs the role" not in str(error)
    return True


def state_of(db: Database, loop: Loop) -> dict[str, object]:
    """Everything that is kept, but for the audit log itself, who showed his key when, and which
    processes live."""

    async def read() -> dict[str, object]:
        names = await db.client[db.name].list_collection_names()
        left_out = (
            "audit",
            "audit_chain",
            "audit_refusals",
            "api_keys",
            "failure_counters",
            "logins",
            "writers",
        )
        return {
            name: await db[name].find({}).sort("_id", 1).to_list(None)
            for name in sorted(names)
            if name not in left_out
        }

    return loop.run(read())


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_the_same_at_each_door(
    shell: Api, db: Database, loop: Loop, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MAX_IN_WINDOW", 10 * len(ACTIONS))  # none is left out
    before = json.dumps(state_of(db, loop), default=str)
    number = 0
    for action in ACTIONS:
        if role.includes(action.needs) and not parameters_of(action):
            continue  # a list of its own: it would be done
        may = {
            "api": by_api(shell, action, role),
            "console": by_console(shell, action, role),
            "command line": by_command(shell, action, role, monkeypatch),
        }
        assert set(may.values()) == {role.includes(action.needs)}, (action.name, may)
        number += 3 * (not role.includes(action.needs))
    # What is not for the role is written down, each time; and nothing was changed by it.
    query = {"result": "refused", "why": {"$regex": "needs the role"}}
    assert loop.run(AUDIT.of(db).count(query)) == number
    if role is Role.VIEWER:
        assert json.dumps(state_of(db, loop), default=str) == before
        assert number == 3 * len(ACTIONS)
