"""People, keys, secrets and cards on the console: what an admin does there, and what is shown."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from domain.audit.entries import AUDIT
from domain.objects.tokens import owned_token
from domain.operators import api_keys, operators
from domain.operators.actor import Role
from tests.cpo_app.cli.test_tokens_erase import CARD, UID
from tests.cpo_app.console.test_roles import visit_of
from tests.cpo_app.console.worlds import CHEAP_PASSWORDS, Night, Visit


@pytest.fixture
def night(own_night: Night) -> Night:
    return own_night


def made(visit: Visit, path: str, **fields: str) -> str:
    """The secret that is shown once, for the action at that path."""
    done = visit.submit(path, **fields)
    assert (done.status_code, done.headers["location"]) == (303, "/console/made"), done.text
    cookie = done.headers["set-cookie"]
    assert "Path=/console/made;" in cookie and "HttpOnly" in cookie and "SameSite=strict" in cookie
    page = visit.get("/console/made")
    assert page.status_code == 200 and page.headers["cache-control"] == "no-store"
    shown = re.search(r'<code>([^<]+)</code> <button type="button" class="copy"', page.text)
    assert shown is not None
    assert shown[1] not in cookie
    assert visit.get("/console/made").status_code == 303  # nobody is shown it again
    return unquote(shown[1].replace("&amp;", "&"))


def test_a_person_is_let_in_with_a_password_that_is_shown_once(night: Night) -> None:
    visit = night.visit()
    password = made(visit, "/console/operators", name="ines", role="operator")
    found = night.loop.run(operators.find(night.db, "ines"))
    assert found is not None and found["role"] == "operator"
    assert night.loop.run(CHEAP_PASSWORDS.is_right(found["password"], password))
    page = visit.get("/console/operators")
    assert "ines" in page.text and password not in page.text
    own = visit.submit("/console/operators", name="jo", role="viewer", password="a word of his own")
    assert own.headers["location"] == "/console/operators?done=operators.add"
    for wrong, status in (
        ({"name": "ines", "role": "viewer"}, 409),
        ({"name": "al", "role": "king"}, 400),
        ({"name": "al", "role": "viewer", "password": "short"}, 422),
    ):
        assert visit.submit("/console/operators", **wrong).status_code == status


def test_what_a_person_may_changes_and_he_is_let_in_no_more(night: Night) -> None:
    visit = night.visit()
    visit.submit("/console/operators", name="ines", role="admin", password="a word of her own")
    visit.submit("/console/operators", name="jo", role="admin", password="a word of his own")
    done = visit.submit("/console/operators/ines/role", role="money")
    assert "Has that role now." in visit.get(done.headers["location"]).text
    link = made(visit, "/console/operators/ines/totp", on="true")
    assert link.startswith("otpauth://totp/")
    for path in ("disable", "enable", "remove"):
        assert visit.submit(f"/console/operators/ines/{path}").status_code == 303
    assert night.loop.run(operators.find(night.db, "ines")) is None
    last = visit.submit("/console/operators/jo/remove")
    assert last.status_code == 409 and "is the last admin" in last.text


def test_a_login_link_signs_that_person_in_once(night: Night) -> None:
    visit = night.visit()
    visit.submit("/console/operators", name="ines", role="viewer", password="a word of her own")
    link = made(visit, "/console/operators/ines/login-link")
    assert link.startswith("https://cpo.example/login/once/")
    path = link.removeprefix("https://cpo.example")
    her = night.visit(signed_in=False)
    assert her.get(path).status_code == 303
    assert ">ines" in her.get("/").text
    assert night.visit(signed_in=False).get(path).status_code == 410
    # Whose password has changed since has no link any more.
    late = made(visit, "/console/operators/ines/login-link").removeprefix("https://cpo.example")
    visit.submit("/console/operators/ines/password", password="another word of hers")
    assert night.visit(signed_in=False).get(late).status_code == 410


def test_a_login_link_does_not_replace_the_second_factor(night: Night) -> None:
    visit = night.visit()
    visit.submit("/console/operators", name="ines", role="viewer", password="a word of her own")
    made(visit, "/console/operators/ines/totp", on="true")
    link = made(visit, "/console/operators/ines/login-link").removeprefix("https://cpo.example")
    her = night.visit(signed_in=False)
    begun = her.get(link)
    assert (begun.status_code, begun.headers["location"]) == (303, "/login/code")
    assert her.get("/console/peers").status_code in (303, 401)


def test_a_key_is_made_shown_once_and_removed(night: Night) -> None:
    visit = night.visit()
    key = made(visit, "/console/keys", name="ci", role="viewer", expires="90d", scopes="api cp")
    found = night.loop.run(api_keys.of(night.db, key))
    assert found is not None and found["scopes"] == ["api", "cp"]
    assert key not in visit.get("/console/operators").text
    visit.submit("/console/keys/ci/remove")
    assert night.loop.run(api_keys.of(night.db, key)) is None


def test_a_forged_cookie_shows_nothing(night: Night) -> None:
    visit = night.visit()
    for cookie in ("x", "e30", "%%%"):
        shown = visit.get("/console/made", headers={"Cookie": f"cpo_made={cookie}"})
        assert (shown.status_code, shown.headers["location"]) == (303, "/console/account")


def test_operators_are_shown_to_admins_alone(night: Night) -> None:
    for role in (Role.VIEWER, Role.OPERATOR, Role.MONEY):
        visit = visit_of(night, role)
        assert visit.get("/console/operators").status_code == 403
        assert 'href="/console/operators"' not in visit.get("/").text
        platform = visit.get("/console/platform")
        assert platform.status_code == 200
        assert 'method="post"' not in platform.text.partition("<main")[2]
    assert 'href="/console/operators"' in night.visit().get("/").text


def test_keys_are_rotated_and_settings_show_no_secret(night: Night) -> None:
    visit = night.visit()
    page = visit.get("/console/platform").text
    assert "None was made of this store" in page and "CPO_PARTIES" in page
    assert "Sealed with an older one" not in page
    assert "Sealed with an older one" in visit.get("/console/platform?look=true").text
    done = visit.submit("/console/secrets/rotate")
    assert done.headers["location"].startswith("/console/platform?done=secrets.rotate%3A")
    entry = night.loop.run(AUDIT.of(night.db).find_one({"action": "secrets.rotate"}))
    assert entry is not None and entry["result"] == "done"


def test_a_card_is_forgotten(night: Night) -> None:
    night.loop.run(night.store.create("tokens", owned_token(CARD)))
    visit = night.visit()
    page = visit.get("/console/tokens").text
    assert f"…{UID[-4:]}" in page and UID not in page
    done = visit.submit("/console/tokens/erase", uid=UID)
    assert done.headers["location"] == "/console/tokens?done=tokens.erase%3Aall%20gone"
    assert "Forgotten." in visit.get(done.headers["location"]).text
    assert visit.submit("/console/tokens/erase", uid=UID).status_code == 404
    for entry in night.loop.run(AUDIT.of(night.db).find({"action": "tokens.erase"})):
        assert UID not in str(entry)


def test_the_log_is_verified_on_its_page(night: Night) -> None:
    visit = night.visit()
    done = visit.submit("/console/audit/verify")
    assert done.headers["location"] == "/audit?done=audit.verify%3Awhole"
    page = visit.get(done.headers["location"]).text
    assert "The log is whole." in page and "<code>head</code>" in page
