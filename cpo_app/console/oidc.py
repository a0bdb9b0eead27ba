"""Signing in by an OpenID Connect provider of one's own: code flow with PKCE, state and nonce.

The provider says who somebody is and, by a claim, in which groups; which group has which role is
said here (CPO_OIDC_ROLES). What belongs together is carried through the browser in a sealed
cookie, so that any worker finishes what another began.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit

import httpx
import jwt

from cpo_app.addresses.host_names import is_loopback
from cpo_app.settings import Settings, SettingsError
from db_interface.json_data import JsonMapping, JsonObject
from domain.operators.actor import Role
from domain.secrets import SecretUnusable, Vault

BACK = "/login/oidc/back"
TIMEOUT_S = 10.0
STARTED_WITHIN_S = 600
KNOWN_FOR_S = 3600.0
MAX_NAME_LENGTH = 80
_ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA")
_LEEWAY_S = 30


class OidcRefused(Exception):
    """Nobody is signed in; the message is for the person."""


@dataclass(frozen=True)
class Person:
    """`name` begins with "oidc:", so that it is never a name of `cpo operators`."""

    name: str
    role: Role


@dataclass(frozen=True)
class Begun:
    """Where the browser goes, and what it is to hold until it comes back."""

    url: str
    cookie: str


class Oidc:
    """One provider. `roles`: by the value of the claim `role_claim`."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        *,
        role_claim: str,
        roles: Mapping[str, Role],
        back_url: str,
        vault: Vault,
    ) -> None:
        where = urlsplit(issuer)
        if where.scheme != "https" and not is_loopback(where.hostname or ""):
            raise SettingsError("CPO_OIDC_ISSUER: has to begin with https://")
        if not client_id or not roles:
            raise SettingsError("CPO_OIDC_ISSUER: needs CPO_OIDC_CLIENT_ID and CPO_OIDC_ROLES, too")
        self.host = where.netloc
        self._issuer = issuer.rstrip("/")
        self._client = (client_id, client_secret)
        self._role_claim, self._roles = role_claim, roles
        self._back_url = back_url
        self._vault = vault
        self._metadata: tuple[float, JsonObject] = (0.0, {})
        self._keys: tuple[float, JsonObject] = (0.0, {})

    @classmethod
    def of(cls, settings: Settings, vault: Vault) -> Oidc | None:
        """The one of the settings; raises SettingsError."""
        if not settings.CPO_OIDC_ISSUER:
            return None
        return cls(
            settings.CPO_OIDC_ISSUER,
            settings.CPO_OIDC_CLIENT_ID,
            settings.CPO_OIDC_CLIENT_SECRET,
            role_claim=settings.CPO_OIDC_ROLE_CLAIM,
            roles=roles_in(settings.CPO_OIDC_ROLES),
            back_url=settings.base_url + BACK,
            vault=vault,
        )

    async def begin(self, after: str, now: datetime) -> Begun:
        """`after`: where to go in the end. `now`: the database's clock. Raises OidcRefused."""
        endpoint = _text(await self._discovered(), "authorization_endpoint")
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        challenge = urlsafe_b64encode(hashlib.sha256(kept["verifier"].encode()).digest())
        asked = {
            "response_type": "code",
            "client_id": self._client[0],
            "redirect_uri": self._back_url,
            "scope": "openid profile email",
            "state": kept["state"],
            "nonce": kept["nonce"],
            "code_challenge": challenge.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        sealed = self._vault.seal(json.dumps({**kept, "after": after, "at": now.timestamp()}))
        parted = "&" if "?" in endpoint else "?"
        return Begun(f"{endpoint}{parted}{urlencode(asked)}", sealed.decode())

    async def finish(self, cookie: str, state: str, code: str, now: datetime) -> tuple[Person, str]:
        """Who came back, and where he wanted to go. Raises OidcRefused."""
        try:
            kept = json.loads(self._vault.open(cookie.encode()))
        except (SecretUnusable, ValueError):
            raise OidcRefused("begin again: this browser did not begin to sign in here") from None
        if not hmac.compare_digest(kept["state"].encode(), state.encode()):
            raise OidcRefused("begin again: the provider answers to somebody else's question")
        if now.timestamp() - kept["at"] > STARTED_WITHIN_S:
            raise OidcRefused("begin again: it took too long")
        claims = await self._claims(code, kept["verifier"])
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), kept["nonce"].encode()):
            raise OidcRefused("the provider's word is of another login")
        ends = claims["exp"]
        if not isinstance(ends, int | float) or now.timestamp() >= ends + _LEEWAY_S:
            raise OidcRefused("the provider's word has ended")
        return self._person(claims), kept["after"]

    async def _claims(self, code: str, verifier: str) -> JsonObject:
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back_url,
            "client_id": self._client[0],
            "code_verifier": verifier,
        }
        if self._client[1]:
            asked["client_secret"] = self._client[1]
        answer = await self._asked(_text(await self._discovered(), "token_endpoint"), asked)
        return await self._verified(_text(answer, "id_token"))

    async def _verified(self, id_token: str) -> JsonObject:
        try:
            kid = jwt.get_unverified_header(id_token).get("kid")
            claims: JsonObject = jwt.decode(
                id_token,
                (await self._key(kid)).key,
                algorithms=list(_ALGORITHMS),
                audience=self._client[0],
                issuer=_text(await self._discovered(), "issuer"),
                # Its times are looked at by the database's clock, not by this host's.
                options={
                    "require": ["iss", "aud", "sub", "exp", "iat"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            raise OidcRefused("the provider's word cannot be verified") from None
        if claims.get("azp", self._client[0]) != self._client[0]:
            raise OidcRefused("the provider's word is for another platform")
        return claims

    async def _key(self, kid: object) -> jwt.PyJWK:
        for known_for_s in (KNOWN_FOR_S, 0.0):  # a key that is not known may be new
            if time.monotonic() - self._keys[0] >= known_for_s or not self._keys[1]:
                found = await self._asked(_text(await self._discovered(), "jwks_uri"))
                self._keys = (time.monotonic(), found)
            for row in self._keys[1].get("keys", ()):
                if kid is None or row.get("kid") == kid:
                    return jwt.PyJWK.from_dict(row)
        raise OidcRefused("the provider's key is not known")

    async def _discovered(self) -> JsonObject:
        if time.monotonic() - self._metadata[0] >= KNOWN_FOR_S or not self._metadata[1]:
            found = await self._asked(f"{self._issuer}/.well-known/openid-configuration")
            if str(found.get("issuer", "")).rstrip("/") != self._issuer:
                raise OidcRefused("the provider calls itself by another name than CPO_OIDC_ISSUER")
            self._metadata = (time.monotonic(), found)
        return self._metadata[1]

    async def _asked(self, url: str, form: Mapping[str, str] | None = None) -> JsonObject:
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
                answer = await (client.get(url) if form is None else client.post(url, data=form))
            found = answer.json()
        except (httpx.HTTPError, ValueError):
            raise OidcRefused("the provider does not answer") from None
        if answer.status_code != 200 or not isinstance(found, dict):
            raise OidcRefused(f"the provider refuses (HTTP {answer.status_code})")
        return found

    def _person(self, claims: JsonMapping) -> Person:
        said = claims.get(self._role_claim)
        groups = [str(group) for group in (said if isinstance(said, list) else [said])]
        granted = {self._roles[group] for group in groups if group in self._roles}
        name = str(claims.get("preferred_username") or claims.get("email") or claims["sub"])
        best = next((role for role in reversed(Role) if role in granted), None)
        if best is None:
            raise OidcRefused("you have no role here: ask an admin for a group that has one")
        fit = "".join(letter for letter in name if letter.isprintable())[:MAX_NAME_LENGTH]
        return Person(f"oidc:{fit}", best)


def roles_in(text: str) -> dict[str, Role]:
    """CPO_OIDC_ROLES, "staff=operator, bosses=admin"; raises SettingsError."""
    found = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        group, equals, role = entry.rpartition("=")
        if not equals or role.strip() not in [one.value for one in Role]:
            raise SettingsError(f"CPO_OIDC_ROLES: {entry!r} is not of the form group=role")
        found[group.strip()] = Role(role.strip())
    return found


def _text(found: JsonMapping, name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise OidcRefused(f"the provider does not say its {name}")
    return value
