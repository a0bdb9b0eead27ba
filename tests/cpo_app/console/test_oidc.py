"""Signing in by an OpenID Connect provider: a small one of our own, spoken to over HTTP."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from cpo_app.console.oidc import Oidc, roles_in
from cpo_app.settings import SettingsError
from domain.operators.actor import Role
from tests.cpo_app.console.worlds import NOW, VAULT, Night, Visit
from tests.serving import listener, served, url_of

CLIENT, SECRET = "cpo", "client-secret"
BACK = "http://127.0.0.1:8000/login/oidc/back"


class Provider:
    """`lies`: claims of the ID token laid over the true ones; `signer`: by what key it signs."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.signer, self.kid = self.key, "k1"
        self.lies: dict[str, Any] = {}
        self.groups: object = ["staff"]
        self.asked: dict[str, dict[str, str]] = {}
        """By code: what the browser was sent with."""
        self.app = app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        async def metadata() -> dict[str, str]:
            return {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/keys",
            }

        @app.get("/keys")
        async def keys() -> dict[str, Any]:
            row = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
            return {"keys": [{**row, "kid": self.kid, "alg": "ES256", "use": "sig"}]}

        @app.post("/token")
        async def token(request: Request) -> JSONResponse:
            form = dict(parse_qsl((await request.body()).decode()))
            asked = self.asked.pop(form["code"], None)
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
            if (
                asked is None
                or challenge != asked["code_challenge"]
                or form["redirect_uri"] != asked["redirect_uri"]
                or (form["client_id"], form["client_secret"]) != (CLIENT, SECRET)
            ):
                return JSONResponse({"error": "invalid_grant"}, 400)
            return JSONResponse({"id_token": self.id_token(asked["nonce"]), "token_type": "Bearer"})

    def id_token(self, nonce: str) -> str:
        now = int(NOW.timestamp())
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
        return jwt.encode(claims, self.signer, algorithm="ES256", headers={"kid": self.kid})

    def agreed(self, url: str) -> dict[str, str]:
        """The person has signed in there: with what the browser comes back."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.asked)}"
        self.asked[code] = asked
        return {"code": code, "state": asked["state"]}


@pytest.fixture
def provider(own_night: Night) -> Iterator[Provider]:
    listening = listener()
    provider = Provider(url_of(listening))
    with served(provider.app, own_night.loop, listening):
        yield provider


def visit_of(night: Night, provider: Provider) -> Visit:
    oidc = Oidc(
        provider.issuer,
        CLIENT,
        SECRET,
        role_claim="groups",
        roles=roles_in("staff=operator, bosses=admin"),
        back_url=BACK,
        vault=VAULT,
    )
    return night.visit(signed_in=False, oidc=oidc)


def go(visit: Visit, provider: Provider, **changed: str) -> httpx.Response:
    """To the provider and back."""
    away = visit.get("/login/oidc", params={"next": "/console/peers"})
    assert away.status_code == 303, away.text
    back = {**provider.agreed(away.headers["location"]), **changed}
    return visit.get("/login/oidc/back", params=back)


def role_of(visit: Visit) -> str | None:
    page = visit.get("/console/account")
    if page.status_code != 200:
        return None
    return next((role.value for role in Role if f">{role.value}<" in page.text), None)


def test_who_signs_in_there_is_in_here_with_the_role_of_his_group(
    own_night: Night, provider: Provider
) -> None:
    visit = visit_of(own_night, provider)
    assert urlsplit(provider.issuer).netloc in visit.get("/login").text
    done = go(visit, provider)
    assert done.status_code == 200 and 'content="0;url=/console/peers"' in done.text
    assert "oidc:ines" in visit.get("/console/account").text
    assert role_of(visit) == "operator"
    provider.groups = ["staff", "bosses", "others"]
    other = visit_of(own_night, provider)
    go(other, provider)
    assert role_of(other) == "admin"


def test_the_secret_goes_to_the_provider_only_and_each_login_has_its_own_words(
    own_night: Night, provider: Provider
) -> None:
    visit = visit_of(own_night, provider)
    urls = [visit.get("/login/oidc").headers["location"] for _ in range(2)]
    asked = [parse_qs(urlsplit(url).query) for url in urls]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
    assert all(SECRET not in url for url in urls)
    assert "verifier" not in str(dict(visit.http.cookies))


@pytest.mark.parametrize(
    "lies",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"azp": "another"},
        {"nonce": "of another login"},
        {"exp": int(NOW.timestamp()) - 3600},
        {"exp": "soon"},
        {"groups": ["nobody"]},
        {"groups": None},
        {"sub": None},
    ],
)
def test_a_word_that_does_not_hold_lets_nobody_in(
    own_night: Night, provider: Provider, lies: dict[str, Any]
) -> None:
    provider.lies = lies
    visit = visit_of(own_night, provider)
    assert go(visit, provider).status_code == 403
    assert role_of(visit) is None


def test_another_signer_another_state_another_browser_or_a_used_code_let_nobody_in(
    own_night: Night, provider: Provider
) -> None:
    visit = visit_of(own_night, provider)
    assert go(visit, provider, state="guessed").status_code == 403
    assert go(visit, provider, code="guessed").status_code == 403
    away = visit.get("/login/oidc").headers["location"]
    back = provider.agreed(away)
    # Login CSRF: the attacker's code in a browser that never asked.
    victim = visit_of(own_night, provider)
    assert victim.get("/login/oidc/back", params=back).status_code == 403
    assert visit.get("/login/oidc/back", params=back).status_code == 200
    assert victim.get("/login/oidc/back", params=back).status_code == 403
    provider.signer = ec.generate_private_key(ec.SECP256R1())
    third = visit_of(own_night, provider)
    assert go(third, provider).status_code == 403
    assert role_of(third) is None and role_of(victim) is None


def test_a_provider_that_changes_its_key_is_asked_for_the_new_one(
    own_night: Night, provider: Provider
) -> None:
    visit = visit_of(own_night, provider)
    go(visit, provider)
    provider.key = provider.signer = ec.generate_private_key(ec.SECP256R1())
    provider.kid = "k2"
    assert go(visit, provider).status_code == 200


def test_without_a_provider_there_is_no_such_page(own_night: Night) -> None:
    visit = own_night.visit(signed_in=False)
    assert visit.get("/login/oidc").status_code == 404
    assert visit.get("/login/oidc/back").status_code == 404


@pytest.mark.parametrize(
    ("issuer", "client", "roles"),
    [
        ("http://idp.example", CLIENT, "staff=operator"),
        ("https://idp.example", "", "staff=operator"),
        ("https://idp.example", CLIENT, ""),
        ("https://idp.example", CLIENT, "staff=king"),
        ("https://idp.example", CLIENT, "operator"),
    ],
)
def test_settings_that_cannot_work_are_refused(issuer: str, client: str, roles: str) -> None:
    with pytest.raises(SettingsError, match="CPO_OIDC_"):
        Oidc(
            issuer,
            client,
            SECRET,
            role_claim="groups",
            roles=roles_in(roles),
            back_url=BACK,
            vault=VAULT,
        )
