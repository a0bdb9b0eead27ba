"""What an operator does first, and at night, in a real browser before a real system."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import Demonstration
from tests.browser.desk import Desk
from tests.e2e.emsp import Emsp
from tests.e2e.processes import eventually

_LISTS = (
    "/console/charge-points",
    "/console/sessions",
    "/console/cdrs",
    "/console/money",
    "/console/peers",
    "/console/tariffs",
    "/console/locations",
)
pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]


def test_the_link_that_is_shown_at_the_first_start_signs_in(
    demo: Demonstration, window: Callable[..., Desk]
) -> None:
    desk = window()
    desk.page.goto("/")
    expect(desk.heading("Sign in")).to_be_visible()

    desk.page.goto(demo.link)
    expect(desk.heading("Overview")).to_be_attached()
    expect(desk.page.locator(".who summary")).to_have_text("admin")


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
    admin.page.get_by_role("link", name="CP-003", exact=True).click()

    admin.confirm("Take out of service")
    admin.is_told("Taken out of service")
    expect(admin.page.locator("#status")).to_contain_text("INOPERATIVE")

    admin.confirm("Put back into service")
    admin.is_told("Back in service")
    expect(admin.page.locator("#status")).to_contain_text(re.compile("AVAILABLE|CHARGING"))


def test_a_session_is_ended_and_what_it_cost_is_credited(admin: Desk) -> None:
    # The demonstration's drivers leave the last charge point to whoever tries a command.
    admin.page.goto("/console/charge-points/CP-004")
    admin.confirm("Start a session", {"The driver's card": "DEMO-CARD-1"})
    admin.is_told("Asked")
    expect(admin.page.locator("#status")).to_contain_text("CHARGING")
    power = admin.page.locator("#connectors td[data-label='Power']")
    expect(power).to_have_text(re.compile(r"[1-9].*kW"))

    admin.confirm("Stop the session")
    expect(admin.page.locator("#status")).to_contain_text("AVAILABLE")

    admin.open_by_menu("CDRs")
    row = admin.page.get_by_role("row").filter(has_text="CP-004")
    expect(row).to_have_count(1)
    row.get_by_role("link").first.click()
    admin.confirm("Credit")
    admin.is_told("Credited")
    admin.open_by_menu("CDRs")
    expect(row.filter(has_text="CREDIT")).to_have_count(1)
    expect(row).to_have_count(2)


def test_an_invited_peer_connects_with_the_token_that_was_shown(admin: Desk, emsp: Emsp) -> None:
    admin.page.goto("/")
    admin.open_by_menu("Peers")
    form = admin.page.locator("form[data-action='peers.invite']")
    form.get_by_label("What to call the peer").fill("Wayfarer")
    form.get_by_label("Parties that it may be").fill("/".join(emsp.server.party))
    form.get_by_role("button").click()
    expect(admin.heading("Invitation for Wayfarer")).to_be_visible()
    assert violations(admin.page) == []
    admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown = []
    for _ in range(2):  # the versions URL and the token; a button that was pressed says "Copied"
        admin.page.get_by_role("button", name="Copy", exact=True).first.click()
        shown.append(admin.page.evaluate("navigator.clipboard.readText()"))
    admin.page.reload()
    expect(admin.page.get_by_text(shown[1])).to_be_hidden()

    emsp.register(*shown)

    admin.open_by_menu("Peers")
    admin.page.get_by_role("main").get_by_role("link", name="Wayfarer").click()
    expect(admin.page.locator("#status")).to_contain_text("connected")


def test_a_stuck_push_is_found_from_the_overview_and_all_is_sent_again(
    admin: Desk, demo: Demonstration, emsp: Emsp
) -> None:
    emsp.server.broken = True
    invited = demo.act("/peers", name="Stumbler", any_party=True)
    emsp.register(invited["versions_url"], invited["token"])

    admin.page.goto("/")
    admin.page.get_by_role("main").get_by_role("link", name="Stumbler").first.click()
    expect(admin.page.get_by_role("main")).to_contain_text("HTTP 500")
    emsp.server.broken = False
    admin.confirm("Send everything again")
    admin.is_told("will be pushed again")

    eventually(lambda: len(emsp.server.told("locations")) >= 4, what="all locations")
    push = admin.page.locator("#push")
    expect(push).to_contain_text("Nothing waits")
    expect(push).not_to_contain_text("not taken")
    assert emsp.server.complaints == []


def test_a_result_that_a_peer_did_not_take_is_found_from_the_overview(
    admin: Desk, demo: Demonstration, emsp: Emsp
) -> None:
    invited = demo.act("/peers", name="Forgetful", any_party=True)
    emsp.register(invited["versions_url"], invited["token"])
    (place, evse) = next(
        (location, one)
        for location in emsp.all("locations")
        for one in location["evses"]
        if one["uid"] == "CP-004"
    )
    asked = emsp.command(
        "UNLOCK_CONNECTOR",
        location_id=place["id"],
        evse_uid=evse["uid"],
        connector_id=evse["connectors"][0]["id"],
        response_url=f"{emsp.server.base_url}/not-there",
    )
    assert asked.accepted, asked.answer

    admin.page.goto("/")
    main = admin.page.get_by_role("main")
    main.get_by_role("link", name="1 result of a command not delivered").click()
    row = admin.page.get_by_role("row").filter(has_text="the peer has not taken its result")
    row.get_by_role("link", name="UNLOCK_CONNECTOR").click()
    expect(admin.page.locator("#way")).to_contain_text("final: UNDELIVERED")
    main.get_by_role("link", name=re.compile(r"^POST .*not-there: HTTP 404")).click()
    expect(main).to_contain_text("We asked a peer")
    expect(main.locator("pre").first).to_contain_text('"result": "ACCEPTED"')


def test_a_viewer_sees_it_all_and_changes_nothing(
    demo: Demonstration, window: Callable[..., Desk]
) -> None:
    demo.act("/operators", name="vera", role="viewer", password="only looking around")
    desk = window()
    desk.sign_in("vera", "only looking around")
    for path in ("/", *_LISTS, "/console/charge-points/CP-004"):
        desk.page.goto(path)
        assert desk.page.locator("main form[method=post]").count() == 0, path

    token = desk.page.locator("input[name=form_token]").first.get_attribute("value")
    assert token
    for action, fields in (
        ("peers", {"name": "Mine", "any_party": "true"}),
        ("charge-points/CP-004/operative", {"operative": "false"}),
        ("charge-points/CP-004/start", {}),
        ("cdrs/any/credit", {}),
        ("peers/any/resync", {}),
    ):
        answer = desk.context.request.post(
            f"/console/{action}",
            form={"form_token": token, **fields},
            headers={"Origin": demo.base},
        )
        assert (answer.status, "role" in answer.text()) == (403, True), action


def test_by_the_keyboard_alone(admin: Desk) -> None:
    page = admin.page
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    expect(page.get_by_role("link", name="To the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#content$"))

    page.goto("/")
    admin.tab_to("summary", "Charging")
    page.keyboard.press("Enter")
    admin.tab_to("a", "Charge points")
    page.keyboard.press("Enter")
    expect(admin.heading("Charge points")).to_be_visible()

    page.goto("/console/charge-points/CP-004")
    admin.tab_to("summary", "Take out of service")
    page.keyboard.press("Enter")
    admin.tab_to("button", "take out of service")
    page.keyboard.press("Enter")
    admin.is_told("Taken out of service")
    admin.tab_to("summary", "Put back into service")
    page.keyboard.press("Enter")
    admin.tab_to("button", "put back into service")
    page.keyboard.press("Enter")
    admin.is_told("Back in service")
