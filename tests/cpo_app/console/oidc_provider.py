"""A small OpenID Connect provider over real HTTP: discovery, keys, a page to sign in on, tokens.

Its JOSE is joserfc's, so that the two ends do not share their mistakes. What it is told to lie
about, it lies about.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import secrets
import time
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

CLIENT, SECRET = "cpo", "client-secret"
KEYS: dict[str, Callable[[], RSAKey | ECKey | OKPKey]] = {
    "RS256": lambda: RSAKey.generate_key(2048),
    "PS256": lambda: RSAKey.generate_key(2048),
    "ES256": lambda: ECKey.generate_key("P-256"),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
}


class Provider:
    """`lies`: claims of the ID token laid over the true ones; `signer`: with what key it signs;
    `forge`: makes the ID token of its claims instead."""

    def __init__(
        self, issuer: str, now: Callable[[], float] = time.time, alg: str = "ES256"
    ) -> None:
        self.issuer, self.alg = issuer, alg
        self._now = now
        self.key = self.signer = KEYS[alg]()
        self.kid: str | None = "k1"
        self.lies: dict[str, Any] = {}
        self.forge: Callable[[dict[str, Any]], str] | None = None
        self.groups: object = ["staff"]
        self.asked: dict[str, dict[str, str]] = {}
        """By code: what the browser was sent with."""
        self.app = app = FastAPI()
        app.add_api_route("/.well-known/openid-configuration", self._metadata)
        app.add_api_route("/keys", self._keys)
        app.add_api_route("/authorize", self._page, response_class=HTMLResponse)
        app.add_api_route("/authorize", self._signed_in, methods=["POST"])
        app.add_api_route("/token", self._token, methods=["POST"])

    async def _metadata(self) -> Response:
        known = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.alg],
            "code_challenge_methods_supported": ["S256"],
        }
        return JSONResponse(known)

    async def _keys(self) -> Response:
        row = self.key.as_dict(private=False, kid=self.kid or "k1", alg=self.alg, use="sig")
        return JSONResponse({"keys": [row]})

    async def _page(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if asked.get("client_id") != CLIENT or asked.get("response_type") != "code":
            return HTMLResponse("unauthorized_client", 400)
        fields = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in asked.items()
        )
        return HTMLResponse(
            f'<title>Sign in</title><form method="post">{fields}'
            '<button id="agree">Sign in as Ines</button></form>'
        )

    async def _signed_in(self, request: Request) -> Response:
        asked = dict(parse_qsl((await request.body()).decode()))
        back = urlencode(self.agreed(asked))
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 303)

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        asked = self.asked.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or form.get("grant_type") != "authorization_code"
            or urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
            or (form["client_id"], form.get("client_secret")) != (CLIENT, SECRET)
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        answer = {"id_token": self.id_token(asked["nonce"]), "access_token": "not used"}
        return JSONResponse({**answer, "token_type": "Bearer"})

    def agreed(self, asked: dict[str, str]) -> dict[str, str]:
        """The person has signed in: with what the browser comes back."""
        assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.asked[code] = asked
        return {"code": code, "state": asked["state"]}

    def id_token(self, nonce: str) -> str:
        now = int(self._now())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "42",
            "iat": now,
            "exp": now + 60,
            "nonce": nonce,
            "preferred_username": "ines",
            "groups": self.groups,
            **self.lies,
        }
        if self.forge is not None:
            return self.forge(claims)
        header = {"alg": self.alg, **({} if self.kid is None else {"kid": self.kid})}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # EdDSA has a newer name, which few providers use
            return jwt.encode(header, claims, self.signer, algorithms=[self.alg])

    def with_public_key_as_secret(self, claims: dict[str, Any]) -> str:
        """The oldest forgery: HS256, its secret the public key that everybody knows."""
        return _hs256(claims, self.key.as_pem(private=False))

    def with_own_key_in_its_header(self, claims: dict[str, Any]) -> str:
        """It brings the key along by which it is to be judged."""
        mine = ECKey.generate_key("P-256")
        header = {"alg": "ES256", "jwk": mine.as_dict(private=False)}
        return jwt.encode(header, claims, mine, algorithms=["ES256"])


def unsigned(claims: dict[str, Any]) -> str:
    """alg none."""
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(_part(part) for part in parts) + "."


def with_client_secret(claims: dict[str, Any]) -> str:
    """HS256 by the client's secret: not agreed upon, and the browser's owner may know it."""
    return _hs256(claims, SECRET.encode())


def _hs256(claims: dict[str, Any], secret: bytes) -> str:
    """By hand: no library would."""
    signed = ".".join(_part(part) for part in ({"alg": "HS256", "kid": "k1"}, claims))
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _part(value: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
