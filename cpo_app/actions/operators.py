"""What is done to the people who run this platform: let in, given a role, let in no more."""

from __future__ import annotations

from pydantic import Field, validator

from cpo_app.actions.action import Action, Parameters, Refused
from cpo_app.actions.house import House
from cpo_app.actions.operator_roles import ROLE, known_role
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.operators import login_links, operators, totp
from domain.operators.actor import Role
from domain.operators.operators import NoSuchOperator, OperatorRefused
from domain.operators.passwords import (
    MAX_LENGTH,
    MIN_LENGTH,
    PasswordUnfit,
    TooBusy,
    check_new,
    generated,
)
from domain.times import format_datetime

_REFUSALS: dict[type[Exception], int] = {
    NoSuchOperator: 404,
    OperatorRefused: 409,
    PasswordUnfit: 422,
}
_PASSWORD = Field(
    None,
    max_length=MAX_LENGTH,
    title=f"Password, {MIN_LENGTH} characters or more (empty: one is made, and shown once)",
    format="password",
)


class OneOperator(Parameters):
    operator: str = Field(..., min_length=1, max_length=64, title="Operator")


class Adding(Parameters):
    name: str = Field(
        ..., min_length=1, max_length=64, title="Name: letters, digits and . _ @ -", example="ines"
    )
    role: str = ROLE
    password: str | None = _PASSWORD

    _role = validator("role", allow_reuse=True)(known_role)


class GivingRole(OneOperator):
    role: str = ROLE

    _role = validator("role", allow_reuse=True)(known_role)


class GivingPassword(OneOperator):
    password: str | None = _PASSWORD


class SecondFactor(OneOperator):
    on: bool = Field(..., title="Logins ask for a code")


def _about(given: OneOperator) -> tuple[About, ...]:
    return (audit.operator(given.operator),)


async def _add(house: House, given: Adding) -> JsonObject:
    chosen = given.password or generated()
    kept = await _hashed(house, chosen, given.name)
    role = Role(given.role)
    await house.store.transact(lambda tx: operators.add(tx, given.name, role, kept))
    return {"operator": given.name, "role": role.value, **_made(given.password, chosen)}


async def _set_role(house: House, given: GivingRole) -> JsonObject:
    role = Role(given.role)
    await house.store.transact(lambda tx: operators.set_role(tx, given.operator, role))
    return {"operator": given.operator, "role": role.value}


async def _set_password(house: House, given: GivingPassword) -> JsonObject:
    chosen = given.password or generated()
    kept = await _hashed(house, chosen, given.operator)
    await house.store.transact(lambda tx: operators.set_password(tx, given.operator, kept))
    return {"operator": given.operator, **_made(given.password, chosen)}


async def _totp(house: House, given: SecondFactor) -> JsonObject:
    name = given.operator
    if not given.on:
        await house.store.transact(lambda tx: totp.switch_off(tx, name))
        return {"operator": name, "outcome": "off"}
    secret = await house.store.transact(lambda tx: totp.switch_on(tx, house.vault, name))
    link = totp.uri(secret, name, house.settings.PROJECT_NAME)
    return {"operator": name, "link": link, "outcome": "on"}


async def _login_link(house: House, given: OneOperator) -> JsonObject:
    async def work(tx: Tx) -> login_links.Made:
        return await login_links.make_for(tx, given.operator)

    made = await house.store.transact(work)
    return {
        "operator": given.operator,
        "link": f"{house.settings.base_url}/login/once/{made.secret}",
        "until": format_datetime(made.until),
    }


async def _disable(house: House, given: OneOperator) -> JsonObject:
    return await _set_disabled(house, given, disabled=True)


async def _enable(house: House, given: OneOperator) -> JsonObject:
    return await _set_disabled(house, given, disabled=False)


async def _set_disabled(house: House, given: OneOperator, *, disabled: bool) -> JsonObject:
    await house.store.transact(lambda tx: operators.set_disabled(tx, given.operator, disabled))
    return {"operator": given.operator, "disabled": disabled}


async def _remove(house: House, given: OneOperator) -> JsonObject:
    await house.store.transact(lambda tx: operators.remove(tx, given.operator))
    return {"operator": given.operator}


async def _hashed(house: House, password: str, name: str) -> str:
    check_new(password, name)
    try:
        return await house.passwords.hashed(password)
    except TooBusy:
        raise Refused(409, "too many passwords are looked at at this moment: try again") from None


def _made(given: str | None, chosen: str) -> JsonObject:
    """The password, where nobody knows it yet."""
    return {} if given else {"password": chosen}


ADD = Action(
    name="operators.add",
    title="Let a person in",
    meaning="Lets a person in, with a role and a password. What a role may do is the same at the "
    "console, the API and here.",
    done="May come in.",
    needs=Role.ADMIN,
    path="/operators",
    parameters=Adding,
    run=_add,
    about=lambda given: (audit.operator(given.name),),
    refusals=_REFUSALS,
    shows="password",
)
SET_ROLE = Action(
    name="operators.role",
    title="Give another role",
    meaning="Gives a person another role: viewer, operator, money or admin. Whoever is signed in "
    "by that name is out at once.",
    done="Has that role now.",
    needs=Role.ADMIN,
    path="/operators/{operator}/role",
    parameters=GivingRole,
    run=_set_role,
    about=_about,
    refusals=_REFUSALS,
)
SET_PASSWORD = Action(
    name="operators.password",
    title="Give another password",
    meaning="Gives a person another password; whoever is signed in by that name is out at once.",
    done="Has a new password.",
    needs=Role.ADMIN,
    path="/operators/{operator}/password",
    parameters=GivingPassword,
    run=_set_password,
    about=_about,
    refusals=_REFUSALS,
    shows="password",
)
TOTP = Action(
    name="operators.totp",
    title="Second factor",
    meaning="Whether a person is asked for a code, too, at each login. What his app takes for it "
    "is shown once; off, it is forgotten, for who has lost his app.",
    done={"on": "Logins ask for a code.", "off": "Logins ask for no code."},
    needs=Role.ADMIN,
    path="/operators/{operator}/totp",
    parameters=SecondFactor,
    run=_totp,
    about=_about,
    refusals=_REFUSALS,
    shows="link",
)
LOGIN_LINK = Action(
    name="operators.login_link",
    title="Make a login link",
    meaning="Makes a link that signs this person in, once, within an hour; a second factor is "
    "asked for all the same. Give it to nobody else.",
    done="Made: it signs in once, within an hour.",
    needs=Role.ADMIN,
    path="/operators/{operator}/login-link",
    parameters=OneOperator,
    run=_login_link,
    about=_about,
    refusals=_REFUSALS,
    shows="link",
)
DISABLE = Action(
    name="operators.disable",
    title="Disable",
    meaning="Lets a person in no more, but keeps the name; enabling undoes it.",
    done="Is let in no more.",
    needs=Role.ADMIN,
    path="/operators/{operator}/disable",
    parameters=OneOperator,
    run=_disable,
    about=_about,
    refusals=_REFUSALS,
)
ENABLE = Action(
    name="operators.enable",
    title="Enable",
    meaning="Lets a person in again.",
    done="Is let in again.",
    needs=Role.ADMIN,
    path="/operators/{operator}/enable",
    parameters=OneOperator,
    run=_enable,
    about=_about,
    refusals=_REFUSALS,
)
REMOVE = Action(
    name="operators.remove",
    title="Remove",
    meaning="Lets a person in no more, and forgets password and second factor; whoever is signed "
    "in by that name is out at once.",
    done="Removed.",
    needs=Role.ADMIN,
    path="/operators/{operator}/remove",
    parameters=OneOperator,
    run=_remove,
    about=_about,
    refusals=_REFUSALS,
    danger=True,
)
ACTIONS = (ADD, SET_ROLE, SET_PASSWORD, TOTP, LOGIN_LINK, DISABLE, ENABLE, REMOVE)
