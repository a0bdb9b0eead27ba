"""Signing in as a person does it: right, wrong, too often, with a code, by the link, and out."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pyotp
import pytest

from domain.operators import login_links, logins, operators, totp
from domain.operators.actor import Role
from domain.operators.logins import LOGINS
from tests.clock import Clock
from tests.cpo_app.console.test_roles import WORD, person
from tests.cpo_app.console.worlds import NOW, PASSWORD, VAULT, Night, Visit

COOKIE = "cpo_login"
HTML = {"Accept": "text/html"}
OTHER = "another good horse"


def enter(
    visit: Visit, name: str, password: str, next_: str = "/console/peers", path: str = "/login"
) -> httpx.Response:
    fields = {"form_token": visit.form_token("/login"), "name": name, "password": password}
    return visit.post(path, {**fields, "next": next_})


def browser(night: Night, *, password: str = PASSWORD, client: str = "127.0.0.1") -> Visit:
    return night.visit(signed_in=False, password=password, client=client)


def is_in(visit: Visit) -> bool:
    return visit.get("/console/peers").status_code == 200


def turn(night: Night, **time: float) -> None:
    assert isinstance(night.db.clock, Clock)
    night.db.clock.advance(timedelta(**time).total_seconds())


def test_a_person_is_asked_signs_in_and_comes_where_he_wanted_to(own_night: Night) -> None:
    person(own_night, "Ines", Role.OPERATOR)
    visit = browser(own_night)
    asked = visit.get("/console/charge-points?q=cp-0", headers=HTML)
    assert asked.status_code == 303
    assert asked.headers["location"] == "/login?next=%2Fconsole%2Fcharge-points%3Fq%3Dcp-0"
    assert 'value="/console/charge-points?q=cp-0"' in visit.get(asked.headers["location"]).text
    done = enter(visit, "ines", WORD, "/console/charge-points?q=cp-0")
    assert (done.status_code, done.headers["location"]) == (303, "/console/charge-points?q=cp-0")
    cookie = done.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie
    page = visit.get("/console/peers").text
    assert "Ines" in page and "operator" in page
    kept = own_night.loop.run(LOGINS.of(own_night.db).find({}))
    assert visit.http.cookies[COOKIE] not in str(kept)


def test_over_https_the_cookie_is_this_hosts_alone(own_night: Night) -> None:
    visit = browser(own_night)
    visit.http.base_url = httpx.URL("https://127.0.0.1:8000")
    token = visit.form_token("/login")
    done = visit.post(
        "/login",
        {"form_token": token, "name": "admin", "password": PASSWORD},
        origin="https://127.0.0.1:8000",
    )
    cookie = done.headers["set-cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=") and "Secure" in cookie and "Domain" not in cookie
    assert is_in(visit)


def test_behind_a_proxy_that_says_nothing_of_https_the_setting_counts(own_night: Night) -> None:
    visit = browser(own_night)
    visit.guard.https = True  # PROTOCOL=https
    link = own_night.loop.run(login_links.make(own_night.db))
    paths = (f"/login/once/{link}", "/login")
    cookies = [visit.get(path).headers["set-cookie"] for path in paths]
    assert cookies[0].startswith("__Host-") and all("Secure" in cookie for cookie in cookies)


def test_a_wrong_password_and_a_name_that_nobody_has_are_told_alike(own_night: Night) -> None:
    person(own_night, "ines", Role.OPERATOR)
    visit = browser(own_night)
    for name, password in (("ines", "xyzzy plugh"), ("nemo", WORD), ("admin", WORD), ("", "")):
        refused = enter(visit, name, password)
        assert refused.status_code == 401
        assert "Name or password is wrong." in refused.text
        assert password not in refused.text or not password
        assert COOKIE not in visit.http.cookies
    assert not is_in(visit)


def test_who_goes_on_guessing_waits_longer_each_time(own_night: Night) -> None:
    person(own_night, "ines", Role.OPERATOR)
    own_night.db.clock = Clock(NOW)
    visit = browser(own_night)
    waits = []
    for _ in range(9):
        while (refused := enter(visit, "ines", "wrong")).status_code == 429:
            waits.append(int(refused.headers["retry-after"]))
            turn(own_night, seconds=waits[-1])
    assert waits == [2, 3, 5]  # after the sixth, seventh and eighth: 1, 2, 4 s
    # The right one waits, too, where the wrong ones came from, and nowhere else.
    assert enter(visit, "ines", WORD).status_code == 429
    elsewhere = browser(own_night, client="10.9.8.7")
    assert enter(elsewhere, "ines", WORD).status_code == 303
    turn(own_night, seconds=10)
    assert enter(visit, "ines", WORD).status_code == 303


@pytest.mark.parametrize(
    "path", ["https://evil.example/", "//evil.example", "/\\evil.example", "/login", "\t/x", "x"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(own_night: Night, path: str) -> None:
    assert enter(browser(own_night), "admin", PASSWORD, path).headers["location"] == "/"


def test_a_form_of_another_site_signs_nobody_in(own_night: Night) -> None:
    visit = browser(own_night)
    token = visit.form_token("/login")
    fields = {"form_token": token, "name": "admin", "password": PASSWORD}
    assert visit.post("/login", fields, origin="https://evil.example").status_code == 403
    assert visit.post("/login", {**fields, "form_token": "0" * 64}).status_code == 403
    assert not is_in(visit)


def test_signed_out_the_cookie_is_good_for_nothing(own_night: Night) -> None:
    visit = browser(own_night)
    enter(visit, "admin", PASSWORD)
    stolen = visit.http.cookies[COOKIE]
    done = visit.post("/logout", {"form_token": visit.form_token("/console/account")})
    assert (done.status_code, done.headers["location"]) == (303, "/login")
    assert COOKIE not in visit.http.cookies and not is_in(visit)
    visit.http.cookies.set(COOKIE, stolen)
    assert not is_in(visit)


def test_a_login_ends_when_it_is_not_used_and_in_any_case(own_night: Night) -> None:
    own_night.db.clock = Clock(NOW)
    visit = browser(own_night)
    enter(visit, "admin", PASSWORD)
    for _ in range(11):
        turn(own_night, minutes=59)
        assert is_in(visit)
    turn(own_night, minutes=71)  # twelve hours after it began
    assert not is_in(visit)
    enter(visit, "admin", PASSWORD)
    turn(own_night, minutes=50)
    # A page that renews itself keeps nobody in.
    assert visit.get("/", headers={"X-Live": "1"}).status_code == 200
    turn(own_night, minutes=11)
    renewed = visit.get("/", headers={**HTML, "X-Live": "1"})
    assert renewed.status_code == 401
    assert "Basic" not in renewed.headers["www-authenticate"]


def test_what_changes_about_a_person_ends_his_logins(own_night: Night) -> None:
    person(own_night, "ines", Role.OPERATOR)
    person(own_night, "boss", Role.ADMIN)
    store, run = own_night.store, own_night.loop.run

    def change(what: object) -> None:
        visit = browser(own_night)
        enter(visit, "ines", WORD)
        assert is_in(visit)
        run(store.transact(what))  # type: ignore[arg-type]
        assert not is_in(visit)

    change(lambda tx: operators.set_role(tx, "ines", Role.MONEY))
    change(lambda tx: totp.switch_off(tx, "ines"))
    change(lambda tx: operators.remove(tx, "ines"))
    visit = browser(own_night)
    enter(visit, "admin", PASSWORD)
    other_setting = browser(own_night, password="changed in the setting")
    other_setting.http.cookies.update(visit.http.cookies)
    assert is_in(visit) and not is_in(other_setting)


def test_with_a_second_factor_the_password_alone_opens_nothing(own_night: Night) -> None:
    own_night.db.clock = Clock(NOW)
    person(own_night, "ines", Role.OPERATOR)
    secret = own_night.loop.run(
        own_night.store.transact(lambda tx: totp.switch_on(tx, VAULT, "ines"))
    )
    codes = pyotp.TOTP(secret)
    visit = browser(own_night)

    def show(code: str) -> httpx.Response:
        token = visit.form_token("/login/code")
        return visit.post("/login/code", {"form_token": token, "code": code, "next": "/"})

    first = enter(visit, "ines", WORD)
    assert first.headers["location"] == "/login/code?next=%2Fconsole%2Fpeers"
    assert not is_in(visit)
    half = visit.http.cookies[COOKIE]
    assert show("000000").status_code == 401
    right = codes.at(NOW)
    assert show(right).status_code == 303
    assert is_in(visit) and visit.http.cookies[COOKIE] != half
    # The same code again, seen over a shoulder.
    visit.http.cookies.delete(COOKIE)
    enter(visit, "ines", WORD)
    assert show(right).status_code == 401
    assert not is_in(visit)
    turn(own_night, seconds=60)
    assert show(codes.at(NOW + timedelta(seconds=60))).status_code == 303


def test_five_wrong_codes_and_the_password_is_asked_again(own_night: Night) -> None:
    own_night.db.clock = Clock(NOW)
    person(own_night, "ines", Role.OPERATOR)
    secret = own_night.loop.run(
        own_night.store.transact(lambda tx: totp.switch_on(tx, VAULT, "ines"))
    )
    visit = browser(own_night)
    enter(visit, "ines", WORD)
    token = visit.form_token("/login/code")
    for _ in range(5):
        visit.post("/login/code", {"form_token": token, "code": "000000"})
    right = visit.post("/login/code", {"form_token": token, "code": pyotp.TOTP(secret).at(NOW)})
    assert right.status_code == 401 and "begin again" in right.text.lower()


def test_basic_is_no_way_around_the_second_factor(own_night: Night) -> None:
    person(own_night, "ines", Role.OPERATOR)
    own_night.loop.run(own_night.store.transact(lambda tx: totp.switch_on(tx, VAULT, "ines")))
    refused = browser(own_night).http
    answer = own_night.loop.run(refused.get("/", auth=("ines", WORD)))
    assert answer.status_code == 401 and "API key" in answer.text


def test_the_link_of_the_first_start_is_good_once_and_not_for_long(own_night: Night) -> None:
    own_night.db.clock = Clock(NOW)
    link = "/login/once/" + own_night.loop.run(login_links.make(own_night.db))
    visit = browser(own_night)
    assert visit.get(link, headers={"Sec-Purpose": "prefetch"}).status_code == 503
    done = visit.get(link)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert is_in(visit)
    again = browser(own_night)
    assert again.get(link).status_code == 410
    assert not is_in(again)
    late = "/login/once/" + own_night.loop.run(login_links.make(own_night.db))
    turn(own_night, seconds=login_links.GOOD_FOR.total_seconds())
    assert again.get(late).status_code == 410
    assert again.get("/login/once/guessed").status_code == 410


def test_a_person_changes_his_own_password(own_night: Night) -> None:
    person(own_night, "ines", Role.VIEWER)
    visit, elsewhere = browser(own_night), browser(own_night)
    enter(visit, "ines", WORD)
    enter(elsewhere, "ines", WORD)

    def change(password: str, new: str, again: str) -> httpx.Response:
        token = visit.form_token("/console/account")
        fields = {"form_token": token, "password": password, "new": new, "again": again}
        return visit.post("/console/account/password", fields)

    assert change("wrong", OTHER, OTHER).status_code == 403
    assert change(WORD, OTHER, OTHER + "x").status_code == 400
    assert change(WORD, "short", "short").status_code == 400
    assert change(WORD, OTHER, OTHER).status_code == 303
    assert is_in(visit) and not is_in(elsewhere)
    assert enter(elsewhere, "ines", WORD).status_code == 401
    assert enter(elsewhere, "ines", OTHER).status_code == 303


def test_a_person_switches_his_second_factor_on_with_its_first_code(own_night: Night) -> None:
    own_night.db.clock = Clock(NOW)
    person(own_night, "ines", Role.VIEWER)
    visit = browser(own_night)
    enter(visit, "ines", WORD)

    def send(form: str, **fields: str) -> int:
        token = visit.form_token("/console/account")
        return visit.post(f"/console/account/{form}", {"form_token": token, **fields}).status_code

    assert send("totp", password=WORD) == 303
    found = own_night.loop.run(operators.find(own_night.db, "ines"))
    assert found is not None and "totp" not in found
    secret = totp.offered(VAULT, found)
    assert secret is not None and secret in visit.get("/console/account").text
    assert secret not in str(found)
    assert send("totp-on", code="000000") == 400
    assert send("totp-on", code=pyotp.TOTP(secret).at(NOW)) == 303
    assert is_in(visit)
    other = browser(own_night)
    assert enter(other, "ines", WORD).headers["location"].startswith("/login/code")
    assert send("totp-off", password=WORD) == 303
    assert enter(other, "ines", WORD).headers["location"] == "/console/peers"


def test_the_admin_of_the_setting_has_nothing_to_change_here(own_night: Night) -> None:
    visit = browser(own_night)
    enter(visit, "admin", PASSWORD)
    page = visit.get("/console/account").text
    assert "CPO_ADMIN_PASSWORD" in page and 'name="new"' not in page
    fields = {"form_token": visit.form_token("/console/account"), "password": PASSWORD}
    assert visit.post("/console/account/totp", fields).status_code == 409


def test_a_login_is_nobodys_at_other_doors(own_night: Night) -> None:
    """They take no cookie: no page of another site can use it there."""
    visit = browser(own_night)
    enter(visit, "admin", PASSWORD)
    assert visit.get("/metrics").status_code == 401


def test_what_the_store_keeps_of_a_login_signs_nobody_in(own_night: Night) -> None:
    visit = browser(own_night)
    enter(visit, "admin", PASSWORD)
    (kept,) = own_night.loop.run(LOGINS.of(own_night.db).find({}))
    assert kept["_id"] == logins.digest(visit.http.cookies[COOKIE])
    thief = browser(own_night)
    thief.http.cookies.set(COOKIE, kept["_id"])
    assert not is_in(thief)


def test_a_wrong_password_is_logged_and_what_was_typed_is_not(
    own_night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    enter(browser(own_night), "admin", "hunter2 in the wrong window")
    (line,) = [said for said in caplog.messages if "wrong password or code" in said]
    assert "operator admin from" in line
    assert "hunter2" not in caplog.text
