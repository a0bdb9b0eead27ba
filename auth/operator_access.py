"""Who of the operator's people or keys somebody is, by what he shows: name and password, an API
key, or the login that his browser holds.

Wrong ones are counted (auth/throttle.py) by address and name, and after too many nothing is
looked at for a while. No password, key or login reaches a log or an error text.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from enum import Enum

from auth.login_delays import LoginDelays
from auth.throttle import Throttle, TooManyFailures, digest_of
from db_interface.database import STORE_ERRORS, Database
from domain.operators import api_keys, logins, operators
from domain.operators.actor import Actor, ActorKind, Role
from domain.operators.logins import Lasting, Login
from domain.operators.operators import ADMIN, Operator
from domain.operators.passwords import Passwords, TooBusy

logger = logging.getLogger("cpo.operators")

_MAX_VERIFIED = 1000
USUAL = Lasting(idle=timedelta(hours=1), at_most=timedelta(hours=12))


class Door(str, Enum):
    """Where somebody asks to be let in; the values are the scopes of API keys."""

    CONSOLE = "console"
    API = "api"
    CENTRAL = "cp"
    METRICS = "metrics"


class NotLetIn(Exception):
    """Nobody that we know, or not at this door; the message is for whoever asked."""

    def __init__(self, http_status: int, detail: str, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.http_status = http_status
        self.detail = detail
        self.retry_after_s = retry_after_s


class OperatorAccess:
    """One per process. `admin_password` is CPO_ADMIN_PASSWORD, user `admin`; "": there is none.

    `digest` is a keyed hash that all processes share (Vault.digest).
    """

    def __init__(
        self,
        db: Database,
        digest: Callable[[str], str],
        *,
        admin_password: str,
        throttle: Throttle,
        lasting: Lasting = USUAL,
        passwords: Passwords | None = None,
    ) -> None:
        self.db = db
        self.lasting = lasting
        self.passwords = passwords or Passwords()
        self.throttle = throttle
        self._delays = LoginDelays(db)
        self._admin_password = admin_password
        self._digest = digest
        self._verified: OrderedDict[bytes, None] = OrderedDict()
        self._secret = secrets.token_bytes(32)

    async def by_password(self, name: str, password: str, address: str) -> Actor:
        """For scripts (HTTP Basic). Raises NotLetIn."""
        operator = await self.checked(name, password, address)
        if operator is None:
            return Actor(ActorKind.PERSON, ADMIN, Role.ADMIN)
        if "totp" in operator:
            raise NotLetIn(
                401, "this name needs a code besides the password: use an API key (cpo keys add)"
            )
        return _person(operator)

    async def checked(self, name: str, password: str, address: str) -> Operator | None:
        """Whose name and password these are; None: the admin of the setting. Raises NotLetIn."""
        shown = digest_of(f"{name}:{password}")
        if not self.throttle.knows(address, shown):
            self.check_throttle(address, name)
            await self.check_delay(address, name)
        if name.lower() == ADMIN:
            if self._is_admins(password):
                await self._came_in(address, ADMIN, shown)
                return None
            raise await self.wrong(address, name, known=self.has_admin)
        operator = await operators.find(self.db, name)
        if not await self._is_right(operator, password) or operator is None:
            raise await self.wrong(address, name, known=operator is not None)
        if operator["disabled"]:
            raise NotLetIn(403, "this operator is disabled")
        await self._came_in(address, name.lower(), shown)
        return operator

    async def by_key(self, key: str, address: str, door: Door) -> Actor:
        """Whose API key that is. Raises NotLetIn, 403 for a key of other doors."""
        if not self.throttle.knows(address, digest_of(key)):
            self.check_throttle(address)
        found = await api_keys.of(self.db, key)
        if found is None:
            self.throttle.failed(address)
            raise NotLetIn(401, "that is no API key that is in force")
        if found["scopes"] and door.value not in found["scopes"]:
            raise NotLetIn(403, f"this key is for {', '.join(found['scopes'])} only")
        self.throttle.succeeded(address, digest_of(key))
        return Actor(ActorKind.KEY, found["name"], Role(found["role"]))

    async def by_login(self, secret: str, *, used: bool = True) -> Actor | None:
        """Who has signed in in that browser; None: nobody (any more). `used` False: a page that
        renews itself keeps no login open."""
        login = await logins.in_force(self.db, secret)
        if login is None or login.get("needs_code"):
            return None
        actor = await self._actor_of(login)
        if actor is not None and used:
            await logins.use(self.db, login, self.lasting)
        return actor

    def check_throttle(self, address: str, name: str = "") -> None:
        """Raises NotLetIn (429). No I/O."""
        try:
            self.throttle.check(address, name.lower())
        except TooManyFailures as error:
            raise NotLetIn(429, str(error), error.retry_after_s) from None

    async def check_delay(self, address: str, name: str) -> None:
        """Raises NotLetIn (429). With the store away the throttle of this process has to do: the
        admin gets in without it."""
        try:
            await self._delays.check(address, name)
        except TooManyFailures as error:
            raise NotLetIn(429, str(error), error.retry_after_s) from None
        except STORE_ERRORS:
            logger.debug("the store does not tell who has to wait")

    async def wrong(self, address: str, name: str, *, known: bool) -> NotLetIn:
        """Counted, and logged where it is somebody's name; what to raise."""
        self.throttle.failed(address, name.lower())
        try:
            await self._delays.failed(address, name)
        except STORE_ERRORS:
            logger.debug("the store does not take who has to wait")
        if known:
            logger.warning("wrong password or code for operator %s from %s", name.lower(), address)
        return NotLetIn(401, "name or password is wrong")

    @property
    def has_admin(self) -> bool:
        """Whether there is a CPO_ADMIN_PASSWORD."""
        return bool(self._admin_password)

    def admin_proof(self) -> str:
        """What changes when CPO_ADMIN_PASSWORD does."""
        return self._digest(f"operator's password:{self._admin_password}")

    async def _came_in(self, address: str, name: str, shown: str) -> None:
        if self.throttle.knows(address, shown):
            return
        self.throttle.succeeded(address, name)
        self.throttle.succeeded(address, shown)
        try:
            await self._delays.succeeded(address, name)
        except STORE_ERRORS:
            logger.debug("the store does not take that somebody has come in")

    async def _actor_of(self, login: Login) -> Actor | None:
        if login["by"] == "oidc":
            return Actor(ActorKind.PERSON, login["name"], Role(login["role"]))
        if login["by"] == "setting":
            if not self._admin_password or login["proof"] != self.admin_proof():
                return None
            return Actor(ActorKind.PERSON, ADMIN, Role.ADMIN)
        operator = await operators.find(self.db, login["name"])
        if operator is None or operator["disabled"] or login["proof"] != str(operator["epoch"]):
            return None
        return _person(operator)

    def _is_admins(self, password: str) -> bool:
        kept = self._admin_password.encode()
        return hmac.compare_digest(password.encode(), kept) and bool(kept)

    async def _is_right(self, operator: Operator | None, password: str) -> bool:
        """argon2 once for each password that is right; scripts ask often."""
        kept = None if operator is None else operator["password"]
        mark = hmac.new(self._secret, f"{kept}\0{password}".encode(), hashlib.sha256).digest()
        if mark in self._verified:
            self._verified.move_to_end(mark)
            return True
        try:
            right = await self.passwords.is_right(kept, password)
        except TooBusy:
            raise NotLetIn(429, "too many are signing in at this moment", 2) from None
        if right:
            self._verified[mark] = None
            if len(self._verified) > _MAX_VERIFIED:
                self._verified.popitem(last=False)
        return right


def _person(operator: Operator) -> Actor:
    return Actor(ActorKind.PERSON, operator["name"], Role(operator["role"]))
