"""What a box and we said to each other, on the console: looked for, paged, one by one."""

from __future__ import annotations

import re

import pytest

from cpo_app.actions.catalog import all_actions
from domain.ocpp import stations
from domain.ocpp.message_log import MESSAGES
from domain.operator import station_talk
from domain.operator.station_talk import Wanted
from domain.operators.actor import Role
from tests.cpo_app.console.ocpp_box import let_it_talk
from tests.cpo_app.console.test_roles import visit_of
from tests.cpo_app.console.worlds import EVIL, Night, Visit

PATH = "/console/charge-points/CP-001/messages"


@pytest.fixture
def box(own_night: Night) -> Night:
    """CP-001 is an EVSE of a box that has said a few things."""
    let_it_talk(own_night)
    return own_night


def rows(visit: Visit, query: str = "", path: str = PATH) -> list[tuple[str, str, str]]:
    """(action, who asked, answer) of each row."""
    text = visit.get(f"{path}?{query}").text
    table = re.findall(r'<tr>\s*<td data-label="When".*?</tr>', text, re.DOTALL)
    found = []
    for row in table:
        cells = re.findall(r"<td data-label=[^>]*>(.*?)</td>", row, re.DOTALL)
        said = [re.sub(r"<[^>]+>", "", cell).strip() for cell in cells]
        found.append((said[1], said[2], said[3]))
    return found


def test_each_question_stands_beside_its_answer(box: Night) -> None:
    assert rows(box.visit()) == [
        ("BootNotification", "the box", "refused: Pending"),
        ("unreadable", "the box", "unreadable"),
        ("ClearCache", "us", "no answer"),
        ("GetLog", "us", "error: NotImplemented"),
        ("MeterValues", "the box", "taken"),
        ("Reset", "us", "refused: Rejected"),
        ("StartTransaction", "the box", "taken"),
        ("Authorize", "the box", "refused: Invalid"),
        ("BootNotification", "the box", "Accepted"),
    ]


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("action=bootnotification", ["BootNotification", "BootNotification"]),
        ("text=4711", ["MeterValues", "StartTransaction"]),  # asked for, or answered with
        ("text=acme", ["BootNotification"]),
        ("id=a", ["Reset"]),
        ("asked_by=us&outcome=no+answer", ["ClearCache"]),
        ("outcome=error", ["GetLog"]),
        ("outcome=refused&asked_by=station", ["BootNotification", "Authorize"]),
        ("since=2025-05-05+14:00:05&until=2025-05-05T14:00:08", ["Reset", "StartTransaction"]),
    ],
)
def test_messages_are_looked_for(box: Night, query: str, actions: list[str]) -> None:
    assert [row[0] for row in rows(box.visit(), query)] == actions


def test_pages_follow_each_other_and_answers_across_them_are_found(
    box: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cpo_app.console.message_pages.PAGE", 2)
    visit, whole, query = box.visit(), [], ""
    while True:
        whole += rows(visit, query)
        older = re.search(r'rel="next" href="\?([^"]*)"', visit.get(f"{PATH}?{query}").text)
        if older is None:
            break
        query = older[1].replace("&amp;", "&")
    monkeypatch.undo()
    assert whole == rows(visit) and len(whole) == 9


def test_a_search_that_looks_too_far_goes_on_where_it_stopped(box: Night) -> None:
    found, before, rounds = [], None, 0
    while True:
        page = box.loop.run(
            station_talk.page(
                box.db, "CP-001", Wanted(text="acceptED"), before=before, look_through=4
            )
        )
        found += [talk.action for talk in page.talks]
        rounds += page.cut
        if page.older is None:
            break
        before = page.older
    assert (found, rounds) == (["BootNotification"], 4)


def test_one_message_beside_its_answer(box: Night) -> None:
    visit = visit_of(box, Role.VIEWER)
    text = visit.get(f"{PATH}?action=Authorize").text
    (path,) = re.findall(rf'href="({PATH}/[0-9a-f-]+)"', text)
    page = visit.get(path).text
    assert "&#34;idTag&#34;: &#34;…CCDD&#34;" in page and "04AABBCCDD" not in page
    assert "&#34;status&#34;: &#34;Invalid&#34;" in page
    assert "answered after 1\u202f000 ms" in page
    (boot,) = re.findall(
        rf'href="({PATH}/[0-9a-f-]+)"', visit.get(f"{PATH}?text=chargePointVendor&outcome=ok").text
    )
    page = visit.get(boot).text
    assert EVIL not in page and "&lt;script&gt;" in page
    for key in ("0-0", "x", "ffffffffffffffff-1"):
        assert visit.get(f"{PATH}/{key}").status_code == 404


def test_what_cannot_be_looked_for_is_said(box: Night) -> None:
    visit = box.visit()
    for query in ("since=yesterday", "outcome=odd", "asked_by=me", "before=x"):
        answer = visit.get(f"{PATH}?{query}")
        assert (answer.status_code, 'role="alert"' in answer.text) == (200, True), query
    assert visit.get("/console/charge-points/CP-404/messages").status_code == 404


def test_a_charge_point_of_the_other_link_says_that_nothing_is_kept(box: Night) -> None:
    text = box.visit().get("/console/charge-points/CP-BAD/messages").text
    assert "is not kept word by word" in text and 'class="filters"' not in text


def test_a_box_that_waits_to_be_added_has_messages(box: Night) -> None:
    async def hold() -> None:
        known = await stations.get(box.db, "CP-001")
        assert known is not None
        waiting: stations.Station = {**known, "_id": "NEW-1", "folded_id": "new-1", "evses": []}
        await stations.STATIONS.of(box.db).insert_one({**waiting, "status": "HELD"})
        await MESSAGES.of(box.db).update_many(
            {"action": "BootNotification"}, {"$set": {"station": "NEW-1"}}
        )

    box.loop.run(hold())
    text = box.visit().get("/console/charge-points/NEW-1/messages").text
    assert (
        "waits to be added" in text
        and len(rows(box.visit(), path=PATH.replace("CP-001", "NEW-1"))) == 2
    )


def test_the_page_of_a_box_has_every_action_and_what_it_was_asked_last(box: Night) -> None:
    visit = box.visit()
    text = visit.get("/console/charge-points/CP-001").text
    wanted = {
        action.name
        for action in all_actions()
        if "{cp_id}" in action.path
        and not action.name.endswith(("restore", "let_in", "refuse_box", "cancel_reservation"))
    }
    assert wanted <= set(re.findall(r'data-action="([^"]+)"', text))
    told = text[text.index('id="told"') : text.index("All messages of the box")]
    answers = re.findall(r"<code>(\w+)</code></a> <span[^>]*>([^<]+)", told)
    assert answers == [
        ("ClearCache", "no answer"),
        ("GetLog", "NotImplemented"),
        ("Reset", "Rejected"),
    ]
    viewed = visit_of(box, Role.VIEWER).get("/console/charge-points/CP-001").text
    assert "data-action=" not in viewed and "What we asked it last" in viewed
