"""Who gets in, and what a page of another site cannot make the operator's browser do."""

from __future__ import annotations

import pytest

from cpo_app.console.forms import COOKIE
from tests.cpo_app.console.worlds import ORIGIN, PASSWORD, Night, basic

ALL = ("/", "/console/peers", "/console/charge-points/CP-001", "/metrics")


def test_with_a_password_only_the_admin_gets_in(night: Night) -> None:
    visit = night.visit(password="päss:wort", signed_in=False, client="10.0.0.1")
    for path in ALL:
        for headers in ({}, basic("wrong"), basic("päss:wort", "root")):
            answer = visit.get(path, headers=headers)
            assert answer.status_code == 401
            # A browser that shows none is not made to ask in a window of its own.
            asked = answer.headers["www-authenticate"]
            assert asked.startswith("Basic") == (bool(headers) or path == "/metrics")
            assert "CP-001" not in answer.text and "cpo_charge_points" not in answer.text
        assert visit.get(path, headers=basic("päss:wort")).status_code == 200


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "10.0.0.1"])
@pytest.mark.parametrize("password", ["", PASSWORD])
def test_nobody_is_let_in_for_where_he_is(night: Night, client: str, password: str) -> None:
    """A text-book reverse proxy makes the whole internet this host."""
    visit = night.visit(signed_in=False, password=password, client=client)
    for path in ALL:
        for headers in ({}, basic(""), {"Host": "localhost:8000"}):
            answer = visit.get(path, headers=headers)
            assert answer.status_code == 401
            assert "CP-001" not in answer.text and "cpo_charge_points" not in answer.text


def test_a_stranger_cannot_act_even_with_a_forms_token(night: Night) -> None:
    visit = night.visit()
    token = visit.form_token()
    stranger = night.visit(signed_in=False)
    stranger.http.cookies.update(visit.http.cookies)
    answer = stranger.post("/console/peers", {"form_token": token, "name": "Eve"})
    assert answer.status_code == 401
    assert "Token A" not in answer.text


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("https://evil.example", {}),
        ("null", {}),
        (None, {}),
        (ORIGIN, {"sec_fetch_site": "cross-site"}),
        (ORIGIN, {"sec_fetch_site": "same-site"}),
        (ORIGIN, {"sec_fetch_site": "none"}),
    ],
)
def test_a_form_of_another_site_changes_nothing(
    night: Night, origin: str | None, said: dict[str, str]
) -> None:
    """With the right token, too: the browser's word alone is enough to refuse."""
    visit = night.visit()
    fields = {"form_token": visit.form_token(), "operative": "false"}
    path = "/console/charge-points/CP-001/operative"
    assert visit.post(path, fields, origin=origin, **said).status_code == 403
    assert night.asked == []


def test_without_the_pages_token_nothing_is_done(night: Night) -> None:
    visit = night.visit()
    token = visit.form_token()
    path = "/console/charge-points/CP-001/operative"
    for given in ({}, {"form_token": ""}, {"form_token": "0" * 64}):
        assert visit.post(path, {"operative": "false", **given}).status_code == 403
    # The token of one browser in the hands of another.
    other = night.visit()
    other.form_token()
    assert other.post(path, {"operative": "false", "form_token": token}).status_code == 403
    assert night.asked == []


def test_any_worker_takes_a_form_of_any_other(night: Night) -> None:
    one, two = night.visit(), night.visit()
    token = one.form_token()
    two.http.cookies.update(one.http.cookies)
    answer = two.post(
        "/console/charge-points/CP-001/operative", {"operative": "false", "form_token": token}
    )
    assert answer.status_code == 303
    assert night.asked == [("CP-001", False)]


def test_only_small_forms_are_read(night: Night) -> None:
    visit = night.visit()
    fields = {"form_token": visit.form_token(), "name": "x" * 300_000}
    assert visit.post("/console/peers", fields).status_code == 413
    answer = night.loop.run(
        visit.http.post("/console/peers", json={"name": "x"}, headers={"Origin": ORIGIN})
    )
    assert answer.status_code == 415


def test_nothing_is_changed_by_a_get(night: Night) -> None:
    visit = night.visit()
    for path in (
        "/console/charge-points/CP-001/operative?operative=false",
        f"/console/peers/{night.peer_id}/block",
    ):
        assert visit.get(path).status_code == 404
    assert night.asked == []
    assert night.loop.run(night.peers.get(night.peer_id)).status == "connected"


def test_the_cookie_is_for_this_site_and_no_script(night: Night) -> None:
    cookie = night.visit().get("/").headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
