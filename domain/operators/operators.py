"""Operators: the people who run this platform, each with a name, a role and a password.

A password is kept as its argon2 hash (passwords.py), a TOTP secret sealed (totp.py). `epoch`
counts the changes after which who is signed in has to sign in again: password, role, TOTP,
disabled or not.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import record
from domain.operators import logins
from domain.operators.actor import Role

ADMIN = "admin"
"""The user of CPO_ADMIN_PASSWORD: nobody else's name."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


class _Always(TypedDict):
    _id: str
    """The name, folded: who is who does not depend on case."""
    name: str
    role: str
    password: str
    """argon2's encoded hash."""
    epoch: int
    disabled: bool
    created: datetime


class Operator(_Always, total=False):
    totp: bytes
    """The sealed secret, once it is confirmed."""
    totp_offered: bytes
    """A sealed secret that waits for its first code."""
    totp_used: int
    """The last code's time step: no code is good twice."""
    last_login: datetime
    guarded: int
    """Counts changes among admins, so that two at once see each other."""


OPERATORS: Collection[Operator] = Collection("operators")


class NoSuchOperator(ValueError):
    """Nobody has that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no operator {name}")


class OperatorRefused(ValueError):
    """The change cannot be made; the message says why."""


async def find(where: Where, name: str) -> Operator | None:
    """Who has that name, whatever its case."""
    return await OPERATORS.of(where).find_one({"_id": name.lower()})


async def listed(db: Database) -> list[Operator]:
    """All of them, by name."""
    return await OPERATORS.of(db).find({}, sort=[("_id", 1)])


def shown(operator: Operator) -> JsonObject:
    """What may be shown of an operator."""
    return {
        "name": operator["name"],
        "role": operator["role"],
        "disabled": operator["disabled"],
        "totp": "totp" in operator,
        "created": operator["created"],
        "last_login": operator.get("last_login"),
    }


async def add(tx: Tx, name: str, role: Role, password_hash: str) -> None:
    """Raises OperatorRefused for a name that is taken or unfit."""
    if not NAME.fullmatch(name):
        raise OperatorRefused(
            "a name has 1 to 64 letters, digits and . _ @ -, and begins with a letter or digit"
        )
    if name.lower() == ADMIN:
        raise OperatorRefused(f"{ADMIN} is the user of CPO_ADMIN_PASSWORD: choose another name")
    if await find(tx, name) is not None:
        raise OperatorRefused(f"there is an operator {name} already")
    await OPERATORS.of(tx).insert_one(
        {
            "_id": name.lower(),
            "name": name,
            "role": role.value,
            "password": password_hash,
            "epoch": 1,
            "disabled": False,
            "created": tx.now,
        }
    )
    await record(tx, "operators.add", audit.operator(name), after={"role": role.value})


async def remove(tx: Tx, name: str) -> None:
    """Raises NoSuchOperator, or OperatorRefused for the last admin."""
    operator = await known(tx, name)
    await _keep_an_admin(tx, operator)
    await OPERATORS.of(tx).delete_one({"_id": operator["_id"]})
    await logins.end_all(tx, operator["_id"])
    was = {"role": operator["role"]}
    await record(tx, "operators.remove", audit.operator(operator["name"]), before=was)


async def set_role(tx: Tx, name: str, role: Role) -> None:
    """Raises NoSuchOperator, or OperatorRefused where no admin would be left."""
    operator = await known(tx, name)
    if operator["role"] == role.value:
        return
    if role is not Role.ADMIN:
        await _keep_an_admin(tx, operator)
    await change(tx, operator, "role", role=role.value)


async def set_disabled(tx: Tx, name: str, disabled: bool) -> None:
    """Raises NoSuchOperator, or OperatorRefused where no admin would be left."""
    operator = await known(tx, name)
    if operator["disabled"] == disabled:
        return
    if disabled:
        await _keep_an_admin(tx, operator)
    await change(tx, operator, "disable" if disabled else "enable", disabled=disabled)


async def set_password(tx: Tx, name: str, password_hash: str) -> None:
    """Raises NoSuchOperator."""
    await change(tx, await known(tx, name), "password", password=password_hash)


async def signed_in(db: Database, operator_id: str) -> None:
    """Keep when."""
    await OPERATORS.of(db).update_one({"_id": operator_id}, {"$set": {"last_login": db.now()}})


async def known(tx: Tx, name: str) -> Operator:
    operator = await find(tx, name)
    if operator is None:
        raise NoSuchOperator(name)
    return operator


async def change(tx: Tx, operator: Operator, what: str, **fields: object) -> None:
    """What ends everything that was signed in with what stood before; `what`: as the audit log
    calls it."""
    await OPERATORS.of(tx).update_one(
        {"_id": operator["_id"]}, {"$set": fields, "$inc": {"epoch": 1}}
    )
    await logins.end_all(tx, operator["_id"])
    has_code = "totp" in operator
    before = {"role": operator["role"], "disabled": operator["disabled"], "totp": has_code}
    known = {**fields, "totp": {"totp-on": True, "totp-off": False}.get(what, has_code)}
    await record(
        tx,
        f"operators.{what}",
        audit.operator(operator["name"]),
        before=before,
        after={name: known.get(name, kept) for name, kept in before.items()},
    )


async def _keep_an_admin(tx: Tx, operator: Operator) -> None:
    """Somebody has to be able to let others in."""
    if operator["role"] != Role.ADMIN.value or operator["disabled"]:
        return
    # Written to, so that of two such changes at once one waits for the other and sees it.
    admins = {"role": Role.ADMIN.value, "disabled": False}
    if await OPERATORS.of(tx).update_many(admins, {"$inc": {"guarded": 1}}) < 2:
        raise OperatorRefused(f"{operator['name']} is the last admin: make another one first")
