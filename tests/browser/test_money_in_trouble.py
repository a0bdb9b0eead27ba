"""Money in trouble, found from the overview and settled, by somebody before a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from db_interface.database import Database
from domain.sessions.session_rules import Rules
from tests.browser.desk import Desk
from tests.conftest import Loop
from tests.cpo_app.console.test_money import held
from tests.cpo_app.console.worlds import PASSWORD, Night
from tests.domain.sessions.worlds import World, tariff
from tests.e2e.processes import eventually
from tests.serving import served

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]


def test_a_held_session_is_found_from_the_overview_and_billed(
    db: Database, loop: Loop, browser: Browser
) -> None:
    world = World(db, loop, tariff(), rules=Rules())
    session_id = held(world)
    with served(Night(db, loop).visit().app, loop) as base:
        desk = Desk(browser, base)
        desk.sign_in("admin", PASSWORD)
        # The browser's zone has been told by then, and days are its.
        expect(desk.page.locator("#today h2")).to_contain_text("Europe/Berlin")
        main = desk.page.get_by_role("main")
        main.get_by_role("link", name="1 session is held: nobody is billed").click()
        row = desk.page.get_by_role("row").filter(has_text="more than its connector can give")
        row.get_by_role("link", name=session_id).click()
        expect(main).to_contain_text("more than its connector can give")

        desk.confirm("End", {"Energy in kWh": "a lot"})
        expect(desk.page.get_by_role("alert").first).to_contain_text("energy_kwh")
        again = desk.page.locator("form[data-action='sessions.end']")
        expect(again.get_by_label("Energy in kWh")).to_have_value("a lot")
        again.get_by_label("Energy in kWh").fill("0,25")
        again.get_by_role("button").click()
        desk.is_told("Ended by hand, and billed")
        billed = eventually(world.cdrs, what="the CDR")
        assert [cdr["total_energy"] for cdr in billed] == [0.25]

        desk.page.goto("/")
        expect(desk.page.locator("#verdict")).not_to_contain_text("held: nobody is billed")
        # Chromium writes down that a page was answered with an error: that was the refused form.
        assert [problem for problem in desk.problems if "400" not in problem] == []
        desk.close()
