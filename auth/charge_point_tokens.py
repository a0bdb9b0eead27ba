"""The token a charge point shows to EV_Central: a JWT that EV_Registry signs with HS256.

Claims: sub (the cp_id), type "cp", iss, aud, iat, nbf, exp, location, token_version. The
token says who it was; whether that registration still stands (status, token_version) is asked
of the store by whoever verifies. A signature that was found right is not checked again until the
token expires: only the token's hash is kept for that. No token and no part of one may reach a log
or an error text.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256

import jwt

from db_interface.json_data import JsonObject
from domain.secrets import SecretUnusable

ISSUER = "ev-registry"
AUDIENCE = "ev-central"
TYPE = "cp"
ALGORITHM = "HS256"
MIN_SECRET_BYTES = 32
LEEWAY_S = 5
"""For the clocks of two hosts; a token lives for hours."""
MAX_LENGTH = 4096
MAX_KEPT = 50_000
_REQUIRED = ["sub", "type", "iss", "aud", "iat", "nbf", "exp", "token_version"]


_verified: OrderedDict[bytes, Claims] = OrderedDict()
"""What right tokens say, by the hash of key and token; the latest MAX_KEPT."""


Secret = str | tuple[str, ...]
"""EV_Registry's signing key; several: the first signs, all are accepted."""


class TokenRefused(Exception):
    """A token that proves nothing; `reason` is fit for an answer ("expired", "invalid", ...)."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"charge point token {reason}")
        self.reason = reason


@dataclass(frozen=True)
class Claims:
    """What a valid token says of its charge point."""

    cp_id: str
    location: str
    token_version: int
    issued_at: int
    begins_at: int
    expires_at: int
    """All in seconds since 1970."""


@lru_cache(maxsize=8)
def check_secret(secret: Secret) -> tuple[bytes, ...]:
    """The keys, the newest first; raises SecretUnusable below 32 bytes (RFC 7518 section 3.2)."""
    keys = tuple(one.encode() for one in ((secret,) if isinstance(secret, str) else secret))
    shortest = min(keys, key=len, default=b"")
    if len(shortest) < MIN_SECRET_BYTES:
        raise SecretUnusable(
            f"REGISTRY_SECRET_KEY is {'shorter than 32 bytes' if shortest else 'not set'}; "
            "make one with: openssl rand -hex 32"
        )
    return keys


def kid_of(key: bytes) -> str:
    """Names a key in the tokens that it signs, and tells nothing of it."""
    return hmac.new(key, b"charge point tokens: key id", sha256).hexdigest()[:8]


def issue(
    secret: Secret,
    *,
    cp_id: str,
    location: str,
    token_version: int,
    lifetime: timedelta,
    now: datetime,
) -> tuple[str, datetime]:
    """A token for the charge point and the moment it expires (aware UTC, whole seconds)."""
    issued_at = now.replace(microsecond=0)
    expires_at = (now + lifetime).replace(microsecond=0)
    claims = {
        "sub": cp_id,
        "type": TYPE,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": issued_at,
        "nbf": issued_at,
        "exp": expires_at,
        "location": location,
        "token_version": token_version,
    }
    key = check_secret(secret)[0]
    signed = jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid_of(key)})
    return signed, expires_at


def verify(secret: Secret, token: str, now: datetime) -> Claims:
    """The claims of a token that EV_Registry signed for EV_Central and that is in force at `now`,
    by the clock that it was issued by: the database's.

    Raises TokenRefused otherwise, SecretUnusable for a secret that must not be used at all.
    """
    keys = check_secret(secret)
    if len(token) > MAX_LENGTH:
        raise TokenRefused("invalid")
    if len(keys) == 1:
        return _verify_once(keys[0], token, now)
    for key in keys[:-1]:
        try:
            return _verify_once(key, token, now)
        except TokenRefused as refused:
            # Signed by that key, it is refused for another reason.
            if refused.reason != "invalid":
                raise
    return _verify_once(keys[-1], token, now)


def _verify_once(key: bytes, token: str, now: datetime) -> Claims:
    # Half of a character, which JSON could carry, is no token's; whatever else it is, its hash is.
    shown = sha256(key + b"\0" + token.encode("utf-8", "replace")).digest()
    verified = _verified.get(shown)
    if verified is None:
        verified = _verified[shown] = _verify(key, token)
        if len(_verified) > MAX_KEPT:
            _verified.popitem(last=False)
    at = now.timestamp()
    if at >= verified.expires_at + LEEWAY_S:
        raise TokenRefused("expired")
    if at < verified.begins_at - LEEWAY_S:
        raise TokenRefused("not valid yet")
    return verified


def _verify(key: bytes, token: str) -> Claims:
    try:
        claims: JsonObject = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            # The library would go by this host's clock.
            options={
                "require": _REQUIRED,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        return _read(claims)
    except jwt.PyJWTError as error:
        raise TokenRefused(_reason(error)) from None
    except (ValueError, TypeError, OverflowError):
        raise TokenRefused("invalid") from None


def _read(claims: JsonObject) -> Claims:
    version = claims["token_version"]
    if claims["type"] != TYPE:
        raise TokenRefused("of another type")
    if not claims["sub"] or type(version) is not int:
        raise TokenRefused("invalid")
    location = claims.get("location")
    return Claims(
        cp_id=claims["sub"],
        location=location if isinstance(location, str) else "",
        token_version=version,
        issued_at=int(claims["iat"]),
        begins_at=max(int(claims["nbf"]), int(claims["iat"])),
        expires_at=int(claims["exp"]),
    )


def _reason(error: jwt.PyJWTError) -> str:
    if isinstance(error, jwt.InvalidIssuerError):
        return "of another issuer"
    if isinstance(error, jwt.InvalidAudienceError):
        return "for another audience"
    return "invalid"
