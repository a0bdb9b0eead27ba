"""The page of one charge point, and that of what peers see of it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from cpo_app.console.timeline import MAX_PIECES, timeline
from db_interface.json_data import JsonObject
from domain.operators.actor import Role
from domain.peers.peer_document import PEERS
from tests.cpo_app.console.test_one_session import part
from tests.cpo_app.console.test_roles import visit_of
from tests.cpo_app.console.worlds import EVIL, Night

NOW = datetime(2025, 5, 5, 15, 0, tzinfo=timezone.utc)


def test_power_is_shown_with_its_age_and_old_figures_are_grey(own_night: Night) -> None:
    night = own_night
    path = "/console/charge-points/CP-001"
    day = part(night.visit().get(path).text, "day")
    assert "– power now" in day and "11.0 kW connector 1, CHARGING measured 35 min ago" in day
    night.now = night.at(1510)
    text = night.visit().get(path).text
    assert "11.0 kW power now" in part(text, "day") and 'class="figure old"' not in text


def test_its_sessions_and_its_history_as_far_back_as_is_asked(night: Night) -> None:
    visit = night.visit()
    text = visit.get("/console/charge-points/CP-001").text
    sessions = part(text, "sessions")
    assert sessions.index(night.running[:8]) < sessions.index(night.ended[:8])
    assert "7.30 kWh 3.50 EUR incl. VAT" in sessions
    for span, name in (("7d", "7 days"), ("30d", "30 days")):
        text = visit.get(f"/console/charge-points/CP-001?span={span}").text
        assert f"Last {name}" in part(text, "day")
        assert f'<a href="?span={span}" aria-current="true">' in text
    assert visit.get("/console/charge-points/CP-001?span=1y").status_code == 400


def test_a_month_of_changes_shows_each_short_fault() -> None:
    since, at = NOW - timedelta(days=30), NOW - timedelta(days=30, minutes=1)
    changes: list[JsonObject] = []
    while at < NOW:
        for status, minutes in (("AVAILABLE", 20), ("CHARGING", 20)):
            changes.append({"at": at, "from": None, "to": status})
            at += timedelta(minutes=minutes)
    fault = NOW - timedelta(days=12, minutes=7)
    changes += [
        {"at": fault, "from": None, "to": "OUTOFORDER"},
        {"at": fault + timedelta(minutes=2), "from": None, "to": "AVAILABLE"},
    ]
    changes.sort(key=lambda change: change["at"], reverse=True)
    pieces = timeline(changes, since, NOW)
    assert len(pieces) == MAX_PIECES
    assert (pieces[0]["x"], round(pieces[-1]["x"] + pieces[-1]["width"])) == (0.0, 1000)
    (broken,) = [piece for piece in pieces if piece["status"] == "OUTOFORDER"]
    assert broken["begin"] <= fault <= broken["end"]
    assert "OUTOFORDER 2 min" in broken["said"] and "CHARGING" in broken["said"]


def test_why_it_is_held_back_and_what_mends_it(night: Night) -> None:
    text = part(night.visit().get("/console/charge-points/CP-NEVER").text, "held-back")
    assert "Not offered to peers:" in text and "CP_MONITOR_METADATA" in text
    gone = part(night.visit().get("/console/charge-points/CP-GONE").text, "held-back")
    assert "as it is meant to be" in gone and "when you restore it" in gone
    assert "Not offered" not in night.visit().get("/console/charge-points/CP-001").text


def test_what_peers_see_of_it_in_each_version(own_night: Night) -> None:
    night = own_night
    page = "/console/charge-points/CP-001/offered"
    text = visit_of(night, Role.VIEWER).get(page).text
    assert re.findall(r"<summary>OCPI ([\d.]+)", text) == ["2.1.1", "2.2.1", "2.3.0"]
    json = part(text, "json")
    assert "CP-001" in json and "CP-BAD" not in json
    assert EVIL not in text
    assert "added AVAILABLE" not in part(text, "differences")
    assert "evse.status added – CHARGING what EV_Central knows of it" in part(text, "differences")
    assert "2.2.1 yes it is told at once" in part(text, "peers")

    def peer(**settings: object) -> str:
        change = {f"settings.{name}": value for name, value in settings.items()}
        query = {"_id": night.peer_id}
        night.loop.run(PEERS.of(night.db).update_one(query, {"$set": change}))
        return part(night.visit().get(page).text, "peers")

    assert "is given the groups north" in peer(groups=["north"])
    assert "requires energy_mix, which the location lacks" in peer(
        groups=None, requires=["energy_mix"]
    )
    held = night.visit().get("/console/charge-points/CP-NEVER/offered").text
    assert "No location of ours has it." in held and "Not offered to peers" in held
    assert night.visit().get("/console/charge-points/CP-404/offered").status_code == 404
