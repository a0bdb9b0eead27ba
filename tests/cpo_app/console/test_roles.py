"""What each role sees and may do on the console: a viewer changes nothing, an operator no money."""

from __future__ import annotations

import pytest

from domain.operators import api_keys, operators
from domain.operators.actor import Role
from tests.cpo_app.console.worlds import CHEAP_PASSWORDS, PAGES, Night, Visit, basic

WORD = "correct horse"


def person(night: Night, name: str, role: Role) -> None:
    async def add() -> None:
        if await operators.find(night.db, name) is not None:
            return  # an earlier test of this night has asked him in
        kept = await CHEAP_PASSWORDS.hashed(WORD)
        await night.store.transact(lambda tx: operators.add(tx, name, role, kept))

    night.loop.run(add())


def visit_of(night: Night, role: Role) -> Visit:
    person(night, role.value[0] + "-person", role)
    visit = night.visit(signed_in=False)
    visit.http.headers.update(basic(WORD, role.value[0] + "-person"))
    return visit


def pages_of(night: Night) -> tuple[str, ...]:
    return (*PAGES, "/console/money", f"/console/peers/{night.peer_id}")


def test_a_viewer_sees_every_page_and_no_form_but_his_own(night: Night) -> None:
    visit = visit_of(night, Role.VIEWER)
    for path in pages_of(night):
        answer = visit.get(path)
        if path == "/console/tariffs/edit":
            assert answer.status_code == 403  # it is nothing but a form
            continue
        assert answer.status_code == 200, path
        page = answer.text.partition("<main")[2]  # above it: theme, sign out
        assert page, path
        assert 'method="post"' not in page, path


def test_forms_that_are_shown_are_those_of_the_role(night: Night) -> None:
    def forms(role: Role) -> set[str]:
        visit = visit_of(night, role)
        texts = [visit.get(path).text.partition("<main")[2] for path in pages_of(night)]
        return {
            word
            for word in ("/operative", "/suspend", "/write-off", "/move-party", "/end")
            for text in texts
            if f'{word}"' in text
        }

    operator = forms(Role.OPERATOR)
    assert operator == {"/operative", "/suspend"}
    assert forms(Role.MONEY) == {*operator, "/write-off"}
    assert forms(Role.ADMIN) == {*operator, "/write-off", "/move-party"}


FORMS = {
    "/console/charge-points/CP-001/operative": Role.OPERATOR,
    "/console/charge-points/CP-001/let-in": Role.OPERATOR,
    "/console/dead-letters/drop": Role.MONEY,
    "/console/sessions/S-UNBILLED/write-off": Role.MONEY,
    "/console/peers": Role.ADMIN,
    "/console/peers/{peer}/suspend": Role.OPERATOR,
    "/console/peers/{peer}/approve": Role.ADMIN,
    "/console/peers/{peer}/require": Role.OPERATOR,
    "/console/peers/{peer}/move-party": Role.ADMIN,
    "/console/peers/release-party": Role.ADMIN,
}
"""And the role that each needs."""


@pytest.mark.parametrize("role", Role)
def test_a_form_is_refused_to_who_may_not_whatever_he_sends(night: Night, role: Role) -> None:
    visit = visit_of(night, role)
    visit.get("/")
    for path, needed in FORMS.items():
        url = path.format(peer=night.peer_id)
        answer = visit.post(url, {"operative": "false"})  # without a token: nothing is done
        refused_for_the_role = "needs the role" in answer.text.lower()
        assert refused_for_the_role == (not role.includes(needed)), path
        assert answer.status_code == 403, path
    assert night.asked == []


def test_an_api_key_has_its_role_and_its_doors(night: Night) -> None:
    def key(name: str, role: Role, *scopes: str) -> dict[str, str]:
        made = night.loop.run(
            night.store.transact(lambda tx: api_keys.add(tx, name, role, scopes=scopes))
        )
        return {"Authorization": f"Bearer {made}"}

    visit = night.visit(signed_in=False)
    scraper = key("prometheus", Role.VIEWER, "metrics")
    assert visit.get("/metrics", headers=scraper).status_code == 200
    assert visit.get("/", headers=scraper).status_code == 403
    everywhere = key("script", Role.VIEWER)
    assert visit.get("/", headers=everywhere).status_code == 200
    wrong = {"Authorization": everywhere["Authorization"][:-1] + "_"}
    for path in ("/", "/metrics"):
        assert visit.get(path, headers=wrong).status_code == 401


def test_basic_is_no_way_around_a_disabled_name(night: Night) -> None:
    person(night, "ines", Role.ADMIN)
    person(night, "jo", Role.ADMIN)
    visit = night.visit(signed_in=False)
    assert visit.get("/", headers=basic(WORD, "INES")).status_code == 200
    night.loop.run(night.store.transact(lambda tx: operators.set_disabled(tx, "ines", True)))
    assert visit.get("/", headers=basic(WORD, "ines")).status_code == 403
    night.loop.run(night.store.transact(lambda tx: operators.remove(tx, "ines")))
    assert visit.get("/", headers=basic(WORD, "ines")).status_code == 401


def test_a_form_that_is_sent_as_it_stands_does_what_is_usual(night: Night) -> None:
    page = visit_of(night, Role.OPERATOR).get("/console/charge-points/CP-001").text
    start = page.partition('data-action="commands.start"')[2].partition("</form>")[0]
    assert '<option value="RFID" selected>' in start
