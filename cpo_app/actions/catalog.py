"""All actions by name. A group's module is loaded when one of its actions is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence

from cpo_app.actions.action import AnyAction

GROUPS: Mapping[str, str] = {
    "peers": "cpo_app.actions.peers",
    "charge_points": "cpo_app.actions.charge_points",
    "commands": "cpo_app.actions.commands",
    "ocpp": "cpo_app.actions.ocpp",
    "sessions": "cpo_app.actions.sessions",
    "cdrs": "cpo_app.actions.cdrs",
    "tariffs": "cpo_app.actions.tariffs",
    "locations": "cpo_app.actions.locations",
    "terminals": "cpo_app.actions.terminals",
    "notices": "cpo_app.actions.notices",
    "events": "cpo_app.actions.events",
    "operators": "cpo_app.actions.operators",
    "keys": "cpo_app.actions.keys",
    "secrets": "cpo_app.actions.secrets",
    "tokens": "cpo_app.actions.tokens",
    "audit": "cpo_app.actions.audit_log",
}
"""The first part of an action's name, and the module whose ACTIONS hold it."""


def actions_of(group: str) -> Sequence[AnyAction]:
    found: Sequence[AnyAction] = importlib.import_module(GROUPS[group]).ACTIONS
    return found


def all_actions() -> Iterator[AnyAction]:
    for group in GROUPS:
        yield from actions_of(group)


def named(name: str) -> AnyAction | None:
    group, _, _ = name.partition(".")
    if group not in GROUPS:
        return None
    return next((action for action in actions_of(group) if action.name == name), None)
