"""What an operator does first, and at night, in a real browser before a real system."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Demonstration
from tests.browser.desk import Desk

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


def test_the_link_that_is_shown_at_the_first_start_signs_in(
    demo: Demonstration, window: Callable[..., Desk]
) -> None:
    desk = window()
    desk.page.goto("/")
    expect(desk.heading("Sign in")).to_be_visible()

    desk.page.goto(demo.link)
    expect(desk.heading("Overview")).to_be_attached()
    expect(desk.page.locator("header").get_by_text("admin").first).to_be_visible()


def test_a_charge_is_watched_live(admin: Desk) -> None:
    admin.page.goto("/console/charge-points?status=CHARGING")
    admin.page.get_by_role("main").get_by_role("link", name=re.compile(r"^CP-\d+$")).first.click()
    energy = admin.page.locator("#connectors td[data-label='Session energy']").first
    expect(energy).to_have_text(re.compile(r"\d"))
    before = energy.inner_text()
    admin.page.evaluate("window.neverReloaded = true")

    expect(energy).not_to_have_text(before)

    assert admin.page.evaluate("window.neverReloaded") is True


def test_a_charge_point_is_taken_out_of_service_and_put_back(admin: Desk) -> None:
    admin.page.goto("/")
    admin.open_by_menu("Charge points")
    admin.page.get_by_role("link", name="CP-004", exact=True).click()

    admin.confirm("Take out of service")
    admin.is_told("out of service")
    expect(admin.page.locator("#status")).to_contain_text("INOPERATIVE")

    admin.confirm("Put back into service")
    expect(admin.page.locator("#status")).to_contain_text("AVAILABLE")
