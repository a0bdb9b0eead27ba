"""Signing in on the console: the password, a code where the operator has asked for one, or the link
of the first start; what comes of it is a login (domain/operators/logins.py)."""

from __future__ import annotations

from typing import NamedTuple

from auth.operator_access import NotLetIn, OperatorAccess
from db_interface.interface import DbInterface
from domain.audit import entries as audit
from domain.audit.entries import record
from domain.operators import login_links, logins, operators, totp
from domain.operators.actor import Actor, ActorKind, Role, acting_as
from domain.operators.operators import ADMIN, Operator
from domain.secrets import Vault


class Begun(NamedTuple):
    """`secret` is for the browser's cookie; with `needs_code` it opens nothing yet."""

    secret: str
    needs_code: bool = False


class OperatorLogin:
    """One per process."""

    def __init__(self, access: OperatorAccess, vault: Vault) -> None:
        self._access = access
        self._db = access.db
        self._vault = vault

    async def by_password(self, name: str, password: str, address: str) -> Begun:
        """Raises NotLetIn."""
        operator = await self._access.checked(name, password, address)
        if operator is None:
            return Begun(await self._as_admin())
        if "totp" in operator:
            return Begun(await self._begin(operator, needs_code=True), needs_code=True)
        return Begun(await self._finished(operator))

    async def by_code(self, secret: str, code: str, address: str) -> str:
        """The second step; raises NotLetIn. The browser gets another secret than before."""
        login = await logins.in_force(self._db, secret)
        if login is None or not login.get("needs_code"):
            raise NotLetIn(401, "begin again: the password was given too long ago")
        await self._access.check_delay(address, login["name"])
        operator = await operators.find(self._db, login["name"])
        still = operator is not None and login["proof"] == str(operator["epoch"])
        if operator is None or not still or operator["disabled"]:
            raise NotLetIn(401, "begin again: something about this operator has changed")
        if not await totp.is_right(self._db, self._vault, operator, code):
            await logins.wrong_code(self._db, login)
            raise await self._access.wrong(address, login["name"], known=True)
        await logins.end(self._db, secret)
        return await self._finished(operator)

    async def by_link(self, token: str, address: str) -> Begun:
        """A link that is good once; raises NotLetIn."""
        self._access.check_throttle(address)
        link = await login_links.take(self._db, token)
        if link is None:
            self._access.throttle.failed(address)
            raise NotLetIn(410, "this link was used before, or is too old")
        if "operator_id" not in link:
            return Begun(await self._as_admin())
        operator = await operators.find(self._db, link["operator_id"])
        if operator is None or operator["disabled"] or operator["epoch"] != link["epoch"]:
            raise NotLetIn(410, "this link is for somebody of whom something has changed since")
        if "totp" in operator:
            return Begun(await self._begin(operator, needs_code=True), needs_code=True)
        return Begun(await self._finished(operator))

    async def by_provider(self, name: str, role: Role) -> str:
        """Who an OpenID Connect provider says he is."""
        await self._write_down(name, role)
        return await logins.begin(
            self._db, self._access.lasting, name=name, by="oidc", proof="", role=role.value
        )

    async def renewed(self, name: str) -> str:
        """A new login for an operator whose password or second factor has just changed: the
        old ones ended with that. Raises NotLetIn."""
        operator = await operators.find(self._db, name)
        if operator is None:
            raise NotLetIn(401, "there is no such operator any more")
        return await self._begin(operator)

    async def _as_admin(self) -> str:
        if not self._access.has_admin:
            raise NotLetIn(403, "there is no CPO_ADMIN_PASSWORD: nobody is admin")
        await self._write_down(ADMIN, Role.ADMIN)
        return await logins.begin(
            self._db,
            self._access.lasting,
            name=ADMIN,
            by="setting",
            proof=self._access.admin_proof(),
            role=Role.ADMIN.value,
        )

    async def _finished(self, operator: Operator) -> str:
        await operators.signed_in(self._db, operator["_id"])
        await self._write_down(operator["name"], Role(operator["role"]))
        return await self._begin(operator)

    async def _write_down(self, name: str, role: Role) -> None:
        with acting_as(Actor(ActorKind.PERSON, name, role)):
            await DbInterface(self._db).transact(
                lambda tx: record(tx, "operators.sign-in", audit.operator(name))
            )

    async def _begin(self, operator: Operator, *, needs_code: bool = False) -> str:
        return await logins.begin(
            self._db,
            self._access.lasting,
            name=operator["name"],
            by="password",
            proof=str(operator["epoch"]),
            role=operator["role"],
            operator_id=operator["_id"],
            needs_code=needs_code,
        )
