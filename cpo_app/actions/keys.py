"""What is done to API keys: made, and good for nothing any more."""

from __future__ import annotations

import re
from datetime import timedelta

from pydantic import Field, validator

from cpo_app.actions.action import Action, Parameters
from cpo_app.actions.house import House
from cpo_app.actions.operator_roles import ROLE, known_role
from cpo_app.actions.readings import words
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.operators import api_keys
from domain.operators.actor import Role
from domain.operators.api_keys import SCOPES, KeyRefused, NoSuchKey
from domain.times import format_datetime

_LIFETIME = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class Adding(Parameters):
    name: str = Field(
        ..., min_length=1, max_length=64, title="What to call it: letters, digits and . _ -"
    )
    role: str = ROLE
    expires: str | None = Field(
        None, max_length=6, title="When it ends: 12h, 90d, 52w (empty: never)", example="90d"
    )
    scopes: list[str] = Field(
        [], max_items=10, title="Good at these doors only (none: at all)", enum=list(SCOPES)
    )

    _role = validator("role", allow_reuse=True)(known_role)

    @validator("scopes", pre=True)
    def _words(cls, value: object) -> object:
        return words(value)

    @validator("expires")
    def _lifetime(cls, value: str | None) -> str | None:
        if value is not None and not _LIFETIME.fullmatch(value):
            raise ValueError(f"{value} is no number of hours, days or weeks, as in 12h, 90d, 52w")
        return value

    @property
    def lifetime(self) -> timedelta | None:
        form = _LIFETIME.fullmatch(self.expires or "")
        return None if form is None else int(form[1]) * _UNITS[form[2]]


class Removing(Parameters):
    key: str = Field(..., min_length=1, max_length=64, title="Key: its name or prefix")


async def _add(house: House, given: Adding) -> JsonObject:
    async def work(tx: Tx) -> JsonObject:
        key = await api_keys.add(
            tx, given.name, Role(given.role), scopes=given.scopes, lifetime=given.lifetime
        )
        until = None if given.lifetime is None else format_datetime(tx.now + given.lifetime)
        return {"name": given.name, "role": given.role, "key": key, "expires": until}

    return await house.store.transact(work)


async def _remove(house: House, given: Removing) -> JsonObject:
    prefix = given.key.removeprefix("cpo_").rstrip("_")
    await house.store.transact(lambda tx: api_keys.remove(tx, given.key, prefix))
    return {"key": given.key}


ADD = Action(
    name="keys.add",
    title="Make an API key",
    meaning="Makes a key for a script: Authorization: Bearer KEY. It is shown this once.",
    done="Made. Keep it now: only its hash is stored.",
    needs=Role.ADMIN,
    path="/keys",
    parameters=Adding,
    run=_add,
    about=lambda given: (audit.api_key(given.name),),
    refusals={KeyRefused: 409},
    shows="key",
)
REMOVE = Action(
    name="keys.remove",
    title="Remove the key",
    meaning="The key, by its name or prefix, is good for nothing at once: whoever uses it is out.",
    done="Removed: the key is good for nothing.",
    needs=Role.ADMIN,
    path="/keys/{key}/remove",
    parameters=Removing,
    run=_remove,
    about=lambda given: (audit.api_key(given.key),),
    refusals={NoSuchKey: 404},
    danger=True,
)
ACTIONS = (ADD, REMOVE)
