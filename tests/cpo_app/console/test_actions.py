"""What the operator does on the console."""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone

import pytest

from cpo_app.actions.catalog import all_actions, named
from cpo_app.console import console as consoles
from cpo_app.console.doing import page_after
from db_interface.transaction import Tx
from domain.charge_points import registration_store, unaccounted_energy
from domain.operator.hub_clients import rows_of
from domain.outbox import push_lanes
from domain.peers import claims, client_switches
from domain.peers.peers import Peers
from domain.peers.terms import Terms
from tests.cpo_app.console.worlds import VAULT, Night


@pytest.fixture
def night(own_night: Night) -> Night:
    return own_night


def status_of(night: Night) -> str:
    return night.loop.run(night.peers.get(night.peer_id)).status


def test_out_of_service_and_back(night: Night) -> None:
    visit = night.visit()
    path = "/console/charge-points/cp-001/operative"
    answer = visit.submit(path, operative="false")
    assert answer.status_code == 303
    assert (
        answer.headers["location"]
        == "/console/charge-points/CP-001?done=charge_points.set_operative%3Aout"
    )
    assert "Taken out of service" in visit.get(answer.headers["location"]).text
    assert visit.submit(path, operative="true").status_code == 303
    assert night.asked == [("CP-001", False), ("CP-001", True)]
    assert visit.submit(path, operative="maybe").status_code == 400
    assert (
        visit.submit("/console/charge-points/CP-404/operative", operative="true").status_code == 404
    )
    assert len(night.asked) == 2


def test_an_invitation_is_shown_once_and_opens_the_door(night: Night) -> None:
    visit = night.visit()
    made = visit.submit("/console/peers", name="  New   eMSP ")
    assert made.status_code == 303
    shown_at = made.headers["location"]
    cookie = made.headers["set-cookie"]
    assert f"Path={shown_at};" in cookie and "HttpOnly" in cookie and "SameSite=strict" in cookie
    answer = visit.get(shown_at)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "https://cpo.example/ocpi/versions" in answer.text
    token = re.search(r"<code>([0-9a-f]{64})</code>", answer.text)
    assert token is not None
    found = night.loop.run(Peers(night.db, VAULT).by_token(token[1]))
    assert found is not None and (found[0].name, found[1]) == ("New eMSP", "A")
    for path in ("/", "/console/peers", f"/console/peers/{found[0].peer_id}"):
        assert token[1] not in visit.get(path).text
    # Shown once: the page reloaded shows the peer, and nobody is invited twice.
    again = visit.get(shown_at)
    assert (again.status_code, again.headers["location"]) == (
        303,
        f"/console/peers/{found[0].peer_id}",
    )
    assert token[1] not in made.headers["location"]


def test_an_invitation_names_who_the_peer_may_be(night: Night) -> None:
    visit = night.visit()
    made = visit.submit(
        "/console/peers", name="Hub", parties="nl/hub, DE/TNM", roles="emsp", hub="on"
    )
    peer_id = made.headers["location"].split("/")[3]
    terms = night.loop.run(night.peers.get(peer_id)).terms
    assert terms == Terms(parties=("nl*hub", "de*tnm"), roles=("EMSP",), hub=True)
    before = len(night.loop.run(night.peers.all()))
    for bad in ({"parties": "NLTNM"}, {"roles": "BOSS"}):
        assert visit.submit("/console/peers", name="X", **bad).status_code == 422
    assert len(night.loop.run(night.peers.all())) == before


def test_an_invitation_is_withdrawn_and_a_registered_peer_is_not(night: Night) -> None:
    visit = night.visit()
    made = visit.submit("/console/peers", name="Wrong one")
    peer_id = made.headers["location"].split("/")[3]
    assert "/withdraw" in visit.get(f"/console/peers/{peer_id}").text
    answer = visit.submit(f"/console/peers/{peer_id}/withdraw")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/console/peers?done=peers.withdraw",
    )
    assert visit.get(f"/console/peers/{peer_id}").status_code == 404
    refused = visit.submit(f"/console/peers/{night.peer_id}/withdraw")
    assert refused.status_code == 409 and "no invitation is open" in refused.text
    assert visit.get(f"/console/peers/{night.peer_id}").status_code == 200


def test_a_party_is_moved_and_released(night: Night) -> None:
    visit = night.visit()
    page = f"/console/peers/{night.peer_id}"

    def holder() -> str | None:
        claim = night.loop.run(claims.of(night.db, "fr*new"))
        return None if claim is None else claim["peer_id"]

    assert "Move a party here" in visit.get(page).text
    assert visit.submit(f"{page}/move-party", party="FR-NEW").status_code == 422
    answer = visit.submit(f"{page}/move-party", party="FR/NEW")
    assert answer.headers["location"] == f"{page}?done=peers.move_party"
    assert holder() == night.peer_id
    releasing = {"party": "FR/NEW", "peer_id": night.peer_id}
    answer = visit.submit("/console/peers/release-party", **releasing)
    assert answer.headers["location"] == f"{page}?done=peers.release_party"
    assert holder() is None
    again = visit.submit("/console/peers/release-party", **releasing)
    assert again.status_code == 409 and "is not held by" in again.text
    assert visit.submit("/console/peers/peer-404/move-party", party="FR/NEW").status_code == 404


def test_a_peer_needs_a_readable_name(night: Night) -> None:
    visit = night.visit()
    before = len(night.loop.run(night.peers.all()))
    for name in ("", "   ", "x" * 101, "a\u202eb"):
        assert visit.submit("/console/peers", name=name).status_code == 400
    assert len(night.loop.run(night.peers.all())) == before


def test_a_form_that_is_refused_comes_back_as_it_was_filled_in(night: Night) -> None:
    visit = night.visit()
    typed = {"name": "Roaming <BV>", "roles": "NSP", "hub": "true", "parties": "nonsense"}
    page = visit.submit("/console/peers", **typed)
    assert (page.status_code, 'role="alert"' in page.text) == (422, True)
    form = page.text[page.text.index('action="/console/peers"') :].partition("</form>")[0]
    for name, value in (("name", "Roaming &lt;BV&gt;"), ("parties", "nonsense"), ("roles", "NSP")):
        assert re.search(rf'name="{name}" value="{re.escape(value)}"', form), name
    assert re.search(r'name="hub" value="true" checked', form)
    assert not re.search(r'name="any_party" value="true" checked', form)

    mended = visit.submit("/console/peers", **{**typed, "parties": "NL/TNM", "hub": ""})
    assert mended.status_code == 303

    refused = visit.submit(
        "/console/peers/connect", versions_url="nonsense", token="a token that was typed"
    )
    assert refused.status_code == 424
    assert ">nonsense</textarea>" in refused.text and "a token that was typed" not in refused.text


def test_what_was_wrong_with_another_sites_form_is_not_shown_with_it(night: Night) -> None:
    foreign = night.visit().post(
        "/console/peers", {"name": "Theirs", "parties": "x"}, origin="https://evil.example"
    )
    assert (foreign.status_code, "Theirs" in foreign.text) == (403, False)


def test_a_peer_is_suspended_resumed_and_blocked(night: Night) -> None:
    visit = night.visit()
    for action, status in (("suspend", "suspended"), ("resume", "connected"), ("block", "blocked")):
        page = visit.get(f"/console/peers/{night.peer_id}").text
        assert f"/console/peers/{night.peer_id}/{action}" in page
        answer = visit.submit(f"/console/peers/{night.peer_id}/{action}")
        assert (answer.status_code, status_of(night)) == (303, status)


def test_what_is_not_possible_any_more_is_not_done(night: Night) -> None:
    visit = night.visit()
    visit.submit(f"/console/peers/{night.peer_id}/block")
    answer = visit.submit(f"/console/peers/{night.peer_id}/suspend")
    assert answer.status_code == 409
    assert "Not done: peer" in answer.text and "is blocked, not connected" in answer.text
    assert status_of(night) == "blocked"
    assert visit.submit(f"/console/peers/{night.peer_id}/burn").status_code == 404
    assert visit.submit("/console/peers/peer-404/block").status_code == 404


def marks_of(night: Night) -> int:
    async def count() -> int:
        return await night.db["marks"].count_documents({"peer_id": night.peer_id})

    return night.loop.run(count())


def forget_marks(night: Night) -> None:
    async def forget() -> None:
        await night.db["marks"].delete_many({})

    night.loop.run(forget())


def test_everything_is_sent_again(night: Night) -> None:
    forget_marks(night)
    visit = night.visit()
    answer = visit.submit(f"/console/peers/{night.peer_id}/resync")
    assert answer.headers["location"].endswith("?done=peers.resync")
    assert marks_of(night) > 3


def test_a_blocked_peer_that_is_resumed_gets_what_it_missed(night: Night) -> None:
    visit = night.visit()
    visit.submit(f"/console/peers/{night.peer_id}/block")
    forget_marks(night)
    answer = visit.submit(f"/console/peers/{night.peer_id}/resume")
    assert answer.headers["location"].endswith("?done=peers.resume")
    assert (status_of(night), marks_of(night) > 3) == ("connected", True)


def test_sending_everything_again_ends_a_pause(night: Night) -> None:
    pausing = {"failures": 7, "retry_at": night.at(9000), "opened": night.at(0), "reason": "503"}

    async def pause() -> None:
        lane = {"_id": night.peer_id, "owner": "", **pausing}
        await night.db["push_lanes"].insert_one(lane)

    night.loop.run(pause())
    night.visit().submit(f"/console/peers/{night.peer_id}/resync")
    lane = night.loop.run(push_lanes.lane_of(night.db, night.peer_id))
    assert (lane["failures"], lane["retry_at"]) == (0, None)


def test_a_peer_is_narrowed_and_widened(night: Night) -> None:
    visit = night.visit()
    for action, other, narrowed in (("narrow", "widen", True), ("widen", "narrow", False)):
        answer = visit.submit(f"/console/peers/{night.peer_id}/{action}")
        assert answer.headers["location"].endswith(f"?done=peers.{action}")
        page = visit.get(answer.headers["location"]).text
        assert f"/console/peers/{night.peer_id}/{other}" in page
        assert f'/console/peers/{night.peer_id}/{action}"' not in page
        peer = night.loop.run(night.peers.get(night.peer_id))
        assert peer.settings["narrowed"] is narrowed


def test_what_takes_long_goes_on_behind_the_answer(
    night: Night, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(consoles, "MAX_WAIT_S", 0.0)
    caplog.set_level("INFO")
    answer = night.visit().submit(f"/console/peers/{night.peer_id}/resync")
    assert answer.headers["location"].endswith("?done=under-way")
    deadline = time.monotonic() + 10
    while "admin: peers.resync: done" not in caplog.text:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_word_in_the_address_is_not_repeated(night: Night) -> None:
    text = night.visit().get("/console/charge-points/CP-001?done=<b>hello</b>").text
    assert "hello" not in text


def test_a_deregistered_charge_point_is_restored(night: Night) -> None:
    visit = night.visit()
    assert (
        "/console/charge-points/CP-GONE/restore" in visit.get("/console/charge-points/CP-GONE").text
    )
    assert "/restore" not in visit.get("/console/charge-points/CP-001").text

    answer = visit.submit("/console/charge-points/cp-gone/restore")

    assert answer.headers["location"] == "/console/charge-points/CP-GONE?done=charge_points.restore"
    page = visit.get(answer.headers["location"]).text
    assert "Registered again" in page
    assert "/restore" not in page
    assert visit.submit("/console/charge-points/CP-404/restore").status_code == 404
    assert visit.submit("/console/charge-points/CP-001/burn").status_code == 404


def test_who_waits_at_anothers_site_is_let_in(night: Night) -> None:
    night.register("CP-NEW", "Amsterdam", {"site_id": "CP-001"})
    visit = night.visit()
    assert "/console/charge-points/CP-NEW/let-in" in visit.get("/console/charge-points/CP-NEW").text

    answer = visit.submit("/console/charge-points/CP-NEW/let-in")

    page = visit.get(answer.headers["location"]).text
    assert "Let into its site." in page
    assert "/let-in" not in page
    record = night.loop.run(registration_store.get(night.db, "CP-NEW"))
    assert record is not None and record["ocpi"] is not None and record["ocpi"]["offered"]


def test_energy_without_a_session_stands_first_on_the_overview(night: Night) -> None:
    visit = night.visit()
    assert "Energy without a session" not in visit.get("/").text

    async def note(tx: Tx) -> None:
        await unaccounted_energy.note(
            tx, "CP-OFF", "1", "free-ride", energy_wh=5200, power_w=11_000
        )

    night.loop.run(night.store.transact(note))

    page = visit.get("/").text
    assert "energy without a session at 1 charge point<" in page
    assert "free-ride" in page
    assert "5.20\u00a0kWh" in page


def as_hub(night: Night) -> None:
    """The connected peer is a hub, which has named a client."""

    async def work() -> None:
        now = datetime.now(timezone.utc)
        roles = [{"role": "HUB", "country_code": "NL", "party_id": "HUB"}]
        await night.peers.set(night.peer_id, now, roles=roles)
        info = {
            "country_code": "FR",
            "party_id": "CLI",
            "role": "EMSP",
            "status": "CONNECTED",
            "last_updated": "2025-05-05T14:00:00Z",
        }
        await client_switches.told(night.store, night.peer_id, info)

    night.loop.run(work())


def test_a_hubs_client_is_approved_and_refused(night: Night) -> None:
    as_hub(night)
    visit, page = night.visit(), f"/console/peers/{night.peer_id}"
    assert "waits for you" in visit.get(page).text
    for decision, approved in (("approve", True), ("refuse", False)):
        answer = visit.submit(f"{page}/{decision}-clients", parties="FR/CLI")
        assert answer.headers["location"] == f"{page}?done=peers.{decision}_clients"
        text = visit.get(answer.headers["location"]).text
        button = f'value="FR/CLI"><button>Yes: {decision}</button>'
        assert button not in text
        [row] = night.loop.run(rows_of(night.db, night.peer_id))
        assert row["approved"] is approved
    assert visit.submit(f"{page}/approve-clients", parties="FRCLI").status_code == 422
    assert visit.submit(f"{page}/approve-clients").status_code == 400


def test_all_that_a_hub_names_are_approved_and_refused(night: Night) -> None:
    as_hub(night)
    visit, page = night.visit(), f"/console/peers/{night.peer_id}"
    for decision, approved in (("approve", True), ("refuse", False)):
        answer = visit.submit(f"{page}/{decision}-clients", parties="all")
        assert answer.headers["location"] == f"{page}?done=peers.{decision}_clients"
        rows = night.loop.run(rows_of(night.db, night.peer_id))
        assert rows and all(row["approved"] is approved for row in rows)


def test_whoever_a_hub_names_is_approved_or_waits(night: Night) -> None:
    as_hub(night)
    visit, page = night.visit(), f"/console/peers/{night.peer_id}"
    for on, word, approval in (
        ("true", "on", "yes, as all that the hub names"),
        ("false", "off", "waits for you"),
    ):
        answer = visit.submit(f"{page}/clients-automatic", on=on)
        assert answer.headers["location"] == f"{page}?done=peers.clients_automatic%3A{word}"
        assert approval in visit.get(answer.headers["location"]).text


def test_a_peer_that_is_no_hub_has_no_clients(night: Night) -> None:
    visit, page = night.visit(), f"/console/peers/{night.peer_id}"
    assert "Clients of this hub" not in visit.get(page).text
    refused = visit.submit(f"{page}/approve-clients", parties="FR/CLI")
    assert refused.status_code == 409 and "is no hub" in refused.text
    gone = visit.submit("/console/peers/peer-404/approve-clients", parties="FR/CLI")
    assert gone.status_code == 404


def test_a_peer_is_asked_about_unknown_cards_and_no_more(night: Night) -> None:
    visit, page = night.visit(), f"/console/peers/{night.peer_id}"
    for on, word in (("true", "on"), ("false", "off")):
        answer = visit.submit(f"{page}/ask-unknown", on=on)
        assert answer.headers["location"] == f"{page}?done=peers.ask_unknown%3A{word}"
        peer = night.loop.run(night.peers.get(night.peer_id))
        assert peer.settings["ask_unknown"] is (on == "true")
        other = "false" if on == "true" else "true"
        assert f'name="on" value="{other}"' in visit.get(page).text
    assert visit.submit(f"{page}/ask-unknown", on="maybe").status_code == 400


def test_what_a_peer_requires_is_ticked_and_what_lacks_it_is_listed(night: Night) -> None:
    visit, page = night.visit(), f"/console/peers/{night.peer_id}"
    assert "because it lacks" not in visit.get(page).text
    answer = visit.submit(f"{page}/require", fields="postal_code owner.name")
    assert answer.headers["location"] == f"{page}?done=peers.require"
    peer = night.loop.run(night.peers.get(night.peer_id))
    assert peer.settings["requires"] == ["owner.name", "postal_code"]
    text = visit.get(page).text
    assert 'name="fields" value="owner.name" checked' in text
    assert "because it lacks" in text
    visit.submit(f"{page}/require")
    assert "because it lacks" not in visit.get(page).text


def test_modules_are_required_at_the_invitation_and_later(night: Night) -> None:
    visit, page = night.visit(), f"/console/peers/{night.peer_id}"
    answer = visit.submit(f"{page}/require-modules", modules="tokens:SENDER, hubclientinfo")
    assert answer.headers["location"] == f"{page}?done=peers.require_modules%3Alacking"
    text = visit.get(page).text
    assert 'name="modules" value="hubclientinfo tokens:SENDER"' in text
    assert "does not offer hubclientinfo" in text
    refused = visit.submit(f"{page}/require-modules", modules="nonsense")
    assert refused.status_code == 409 and "nonsense is not a module" in refused.text
    visit.submit(f"{page}/require-modules", modules="")
    assert "does not offer hubclientinfo" not in visit.get(page).text

    invited = visit.submit("/console/peers", name="Demanding", modules="tokens")
    peer = night.loop.run(night.peers.get(invited.headers["location"].split("/")[3]))
    assert peer.settings["modules"] == ["tokens"]
    assert visit.submit("/console/peers", name="X", modules="nonsense").status_code == 409


def test_a_location_is_put_into_groups_and_a_peer_is_given_them(night: Night) -> None:
    visit, page = night.visit(), f"/console/peers/{night.peer_id}"
    key = "nl/evc/cp-001"
    shown = f"/console/objects/locations?key={key}"
    answer = visit.submit("/console/locations/cp-001/groups", groups="North, fast")
    assert answer.status_code == 303
    assert 'name="groups" value="fast north"' in visit.get(shown).text
    given = visit.submit(f"{page}/groups", groups="north")
    assert given.headers["location"] == f"{page}?done=peers.give_groups"
    assert night.loop.run(night.peers.get(night.peer_id)).settings["groups"] == ["north"]
    assert 'name="groups" value="north"' in visit.get(page).text
    assert visit.submit(f"{page}/groups", groups="nowhere").status_code == 409
    visit.submit(f"{page}/groups", groups="")
    assert night.loop.run(night.peers.get(night.peer_id)).settings["groups"] is None

    assert visit.submit("/console/locations/x/groups", groups="one").status_code == 404
    refused = visit.submit("/console/locations/cp-001/groups", groups="all")
    assert refused.status_code == 409 and "cannot be a group" in refused.text


def test_after_every_action_there_is_a_page(night: Night) -> None:
    visit = night.visit()
    for page in {page_after(action, {}, None).rstrip("/") for action in all_actions()}:
        assert visit.get(page).status_code == 200, page
    of_peer = {"peer_id": night.peer_id}
    for name in ("peers.suspend", "terminals.pull"):
        pull = named(name)
        assert pull is not None
        assert page_after(pull, of_peer, None) == f"/console/peers/{night.peer_id}"
