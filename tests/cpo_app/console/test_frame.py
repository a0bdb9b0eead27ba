"""What stands around every page: menu, theme, search, and that a demonstration is one."""

from __future__ import annotations

import re

import pytest

from cpo_app.console.navigation import NAVIGATION
from cpo_app.console.rendering import Rendering
from domain.operators.actor import NOBODY, Role
from tests.cpo_app.console.worlds import ORIGIN, Night


def test_every_page_of_the_menu_is_there_and_says_that_it_is_the_present_one(night: Night) -> None:
    visit = night.visit()
    for group in NAVIGATION:
        for page in group.pages:
            html = visit.get(page.href).text
            current = re.findall(r'<a href="([^"]+)" aria-current="page"', html)
            assert current == [page.href], page
            assert re.findall(r'<summary class="current">(\w+)<', html) == [group.name]


@pytest.mark.parametrize("theme", ["dark", "light", "auto"])
def test_who_chose_a_theme_gets_every_page_in_it(night: Night, theme: str) -> None:
    visit = night.visit()
    chosen = visit.post(
        "/console/theme",
        {"form_token": visit.form_token(), "theme": theme},
        Referer=f"{ORIGIN}/console/peers?x=1",
    )
    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/console/peers?x=1")
    shown = [
        re.findall(r"<html[^>]*>", visit.get(path).text)[0]
        for path in ("/", "/console/peers", "/console/nothing")
    ]
    expected = '<html lang="en">' if theme == "auto" else f'<html lang="en" data-theme="{theme}">'
    assert shown == [expected, expected, '<html lang="en">']


@pytest.mark.parametrize(
    "referer", ["https://evil.example/x", f"{ORIGIN}//evil.example", "", "nonsense"]
)
def test_a_theme_leads_to_no_other_site(night: Night, referer: str) -> None:
    visit = night.visit()
    fields = {"form_token": visit.form_token(), "theme": "dark"}
    assert visit.post("/console/theme", fields, Referer=referer).headers["Location"] == "/"


def test_another_sites_form_and_another_theme_change_nothing(night: Night) -> None:
    visit = night.visit()
    foreign = visit.post("/console/theme", {"theme": "dark"}, origin="https://evil.example")
    assert (foreign.status_code, "set-cookie" in foreign.headers) == (403, False)
    assert visit.submit("/console/theme", theme="pink").status_code == 400


def test_the_demonstration_says_that_its_time_runs_faster(night: Night) -> None:
    assert "times faster" not in night.visit().get("/").text
    frame = Rendering("x", "/docs", demo_speed=30)._env.from_string('{% extends "frame.html" %}')
    html = frame.render(
        path="/",
        may={role.value: True for role in Role},
        actor=NOBODY,
        theme="",
        form_token="",
        now=night.now,
    )
    assert "30 times faster than time" in html
