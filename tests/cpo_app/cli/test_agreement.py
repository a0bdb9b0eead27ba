"""What does not come back by itself is asked about, where somebody sits at the terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from cpo_app.actions.action import Action
from db_interface.database import Database
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo
from tests.cpo_app.cli.test_app import CPO, commands
from tests.cpo_app.cli.test_money import charged
from tests.domain.sessions.worlds import World, element, tariff

ALSO = {("operators", "remove"), ("keys", "remove")}
"""They take something away, and are no actions."""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def sit_down(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(f"{answer}\n"))


def actions_of(command: Any) -> Iterator[Action[Any]]:
    """The actions that a command's function names."""
    function = getattr(command.callback, "__wrapped__", command.callback)
    known = function.__globals__
    modules = [
        vars(one)
        for one in known.values()
        if isinstance(one, ModuleType) and one.__name__.startswith("cpo_app.actions.")
    ]
    for name in function.__code__.co_names:
        for place in (known, *modules):
            if isinstance(place.get(name), Action):
                yield place[name]


def test_every_dangerous_command_can_be_told_yes() -> None:
    dangerous = {
        path: command
        for path, command in commands(CPO)
        if path in ALSO or any(action.danger for action in actions_of(command))
    }
    named = {action.name for one in dangerous.values() for action in actions_of(one)}
    assert {
        *("peers.remove", "peers.withdraw", "peers.block", "peers.move_party"),
        *("sessions.end", "sessions.write_off", "cdrs.credit", "tariffs.remove"),
        *("locations.remove", "charge_points.drop", "charge_points.remove_meter_key"),
        *("operators.remove", "keys.remove", "tokens.erase", "commands.cancel_reservation"),
    } <= named
    without = [
        " ".join(path)
        for path, command in dangerous.items()
        if not any("--yes" in option.opts for option in command.params)
    ]
    assert without == []


@pytest.mark.parametrize(("answer", "goes"), [("n", False), ("", False), ("y", True)])
def test_a_person_is_asked(
    answer: str, goes: bool, cpo: Cpo, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer_id = cpo("peers", "invite", "--name", "Me").json()["peer_id"]
    sit_down(monkeypatch, answer)
    ran = cpo("peers", "remove", peer_id)
    assert f"{peer_id}: Tells it (DELETE credentials)" in ran.err and "Go on? [y/N]" in ran.err
    assert (ran.code == 0) is goes
    if not goes:
        assert ran.err.endswith("cpo: nothing was done\n")
    assert (peer_id in cpo("peers", "list").out) is not goes


def test_neither_a_script_is_asked_nor_who_says_yes(
    cpo: Cpo, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (cpo("peers", "invite", "--name", n).json()["peer_id"] for n in "AB")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert cpo("peers", "remove", first).code == 0
    sit_down(monkeypatch, "n")
    ran = cpo("peers", "remove", second, "--yes")
    assert ran.code == 0 and "Go on?" not in ran.err


def test_a_credit_says_first_what_it_takes_back(
    cpo: Cpo, db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(db, loop, tariff("T1", element("FLAT", 0.5), element("ENERGY", 0.4)))
    cdr_id = charged(world)
    sit_down(monkeypatch, "n")
    ran = cpo("cdrs", "credit", cdr_id, "--kwh", "8")
    assert ran.code == 1 and ran.out == ""
    assert f"Credit {cdr_id}: 10.0 kWh, 4.5 EUR excl. VAT, 5.4 incl.; " in ran.err
    assert "a corrected CDR takes its place." in ran.err
    assert len(world.cdrs()) == 1

    sit_down(monkeypatch, "y")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    credit, corrected = cpo("cdrs", "credit", cdr_id, "--kwh", "8").out.splitlines()
    assert credit.startswith(f"credit     {cdr_id}-C: 10.0 kWh, -4.5 EUR excl. VAT, -5.4 incl.; ")
    assert corrected.startswith("corrected  ")
    assert ": 8.0 kWh, 3.7 EUR excl. VAT, 4.44 incl.; " in corrected
    assert len(world.cdrs()) == 3
