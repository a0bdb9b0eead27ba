"""Signing in by an OpenID Connect provider: a small one of our own, spoken to over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from cpo_app.console.oidc import Oidc, roles_in
from cpo_app.settings import SettingsError
from domain.operators.actor import Role
from tests.cpo_app.console.oidc_provider import (
    CLIENT,
    KEYS,
    SECRET,
    Provider,
    unsigned,
    with_client_secret,
)
from tests.cpo_app.console.worlds import NOW, VAULT, Night, Visit
from tests.serving import listener, served, url_of

BACK = "http://127.0.0.1:8000/login/oidc/back"


@pytest.fixture
def provider(own_night: Night) -> Iterator[Provider]:
    listening = listener()
    provider = Provider(url_of(listening), NOW.timestamp)
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
    back = {**provider.agreed(asked_of(away)), **changed}
    return visit.get("/login/oidc/back", params=back)


def asked_of(away: httpx.Response) -> dict[str, str]:
    """What the browser is sent to the provider with."""
    return dict(parse_qsl(urlsplit(away.headers["location"]).query))


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
        {"aud": ["another", "a third"]},
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
    back = provider.agreed(asked_of(visit.get("/login/oidc")))
    # Login CSRF: the attacker's code in a browser that never asked.
    victim = visit_of(own_night, provider)
    assert victim.get("/login/oidc/back", params=back).status_code == 403
    assert visit.get("/login/oidc/back", params=back).status_code == 200
    assert victim.get("/login/oidc/back", params=back).status_code == 403
    provider.signer = KEYS["ES256"]()
    third = visit_of(own_night, provider)
    assert go(third, provider).status_code == 403
    assert role_of(third) is None and role_of(victim) is None


def test_a_provider_that_changes_its_key_is_asked_for_the_new_one(
    own_night: Night, provider: Provider
) -> None:
    visit = visit_of(own_night, provider)
    go(visit, provider)
    provider.key = provider.signer = KEYS["ES256"]()
    provider.kid = "k2"
    assert go(visit, provider).status_code == 200


@pytest.mark.parametrize("alg", KEYS)
def test_every_algorithm_of_public_keys(own_night: Night, alg: str) -> None:
    listening = listener()
    provider = Provider(url_of(listening), NOW.timestamp, alg)
    provider.kid = None if alg == "RS256" else "k1"
    with served(provider.app, own_night.loop, listening):
        visit = visit_of(own_night, provider)
        assert go(visit, provider).status_code == 200
        assert role_of(visit) == "operator"


@pytest.mark.parametrize("forgery", ["none", "public key", "client secret", "own key"])
def test_a_forged_word_lets_nobody_in(own_night: Night, provider: Provider, forgery: str) -> None:
    provider.forge = {
        "none": unsigned,
        "public key": provider.with_public_key_as_secret,
        "client secret": with_client_secret,
        "own key": provider.with_own_key_in_its_header,
    }[forgery]
    visit = visit_of(own_night, provider)
    refused = go(visit, provider)
    assert refused.status_code == 403
    assert "cannot be verified" in refused.text
    assert role_of(visit) is None
    provider.forge = None
    assert go(visit, provider).status_code == 200


def test_by_way_of_the_providers_own_page(own_night: Night, provider: Provider) -> None:
    """Each redirect and form as a browser takes them; without the verifier a code is worthless."""
    visit = visit_of(own_night, provider)
    away = visit.get("/login/oidc")
    with httpx.Client() as browser:
        page = browser.get(away.headers["location"])
        assert "Sign in as Ines" in page.text
        back = browser.post(f"{provider.issuer}/authorize", data=asked_of(away))
        code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
        stolen = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
        client = {"client_id": CLIENT, "client_secret": SECRET, "code_verifier": "guessed"}
        theft = browser.post(f"{provider.issuer}/token", data={**stolen, **client})
        assert (theft.status_code, theft.json()) == (400, {"error": "invalid_grant"})
        again = browser.post(f"{provider.issuer}/authorize", data=asked_of(away))
    assert again.headers["location"].startswith(BACK)
    done = visit.get("/login/oidc/back", params=parse_qs(urlsplit(again.headers["location"]).query))
    assert done.status_code == 200
    assert role_of(visit) == "operator"


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
