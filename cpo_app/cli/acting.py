"""An action (cpo_app/actions) at the command line: its help is its words, and it is carried out on
the command's store, or at `--server`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from cpo_app.actions.action import Action, P, Refused, perform
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.agreement import agree_to
from cpo_app.cli.errors import CliError
from cpo_app.cli.output import note
from cpo_app.cli.with_backend import on_backend
from cpo_app.house import house_of
from cpo_app.http_errors import problems_of
from db_interface.json_data import JsonObject
from domain.audit.chain import seal


def words(action: Action[P]) -> str:
    """What `--help` says of the command."""
    return action.meaning


def act(
    action: Action[P], given: Mapping[str, object], data_dir: Path | None, *, yes: bool = False
) -> JsonObject:
    """Do it, and give its result; raises CliError where it is not done. What is dangerous is asked
    about first, where somebody sits at the terminal and has not said `yes`."""
    parameters = _parameters(action, given)
    try:
        agree_to(action, parameters, yes)
    except Refused as error:
        raise CliError(str(error)) from None
    if remote.server() is not None:
        return remote.call(action, parameters)

    async def work(backend: Backend) -> JsonObject:
        try:
            return await perform(house_of(backend), action, parameters)
        finally:
            # Without a server nobody else seals what was just written down.
            await seal(backend.store)

    try:
        return on_backend(work, data_dir)
    except Refused as error:
        raise CliError(str(error)) from None


def act_each(
    action: Action[P], givens: Sequence[Mapping[str, object]], data_dir: Path | None
) -> list[JsonObject | CliError]:
    """Do it for each: its result, or why not."""
    each = [_parameters(action, given) for given in givens]
    if remote.server() is not None:
        return [_tried(action, one) for one in each]

    async def work(backend: Backend) -> list[JsonObject | CliError]:
        house, done = house_of(backend), list[JsonObject | CliError]()
        for one in each:
            try:
                done.append(await perform(house, action, one))
            except Refused as error:
                done.append(CliError(str(error)))
        await seal(backend.store)
        return done

    return on_backend(work, data_dir)


def _tried(action: Action[P], parameters: P) -> JsonObject | CliError:
    try:
        return remote.call(action, parameters)
    except CliError as error:
        return error


def act_and_say(
    action: Action[P],
    given: Mapping[str, object],
    data_dir: Path | None,
    about: str,
    *,
    yes: bool = False,
) -> JsonObject:
    """Do it, and say that it is done, in the action's words."""
    result = act(action, given, data_dir, yes=yes)
    note(f"{about}: {action.said(result.get('outcome'))}")
    return result


def _parameters(action: Action[P], given: Mapping[str, object]) -> P:
    told = {name: value for name, value in given.items() if value is not None}
    try:
        return action.parameters.parse_obj(told)
    except ValidationError as error:
        raise CliError(problems_of(error.errors())) from None
