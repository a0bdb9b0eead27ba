"""The pages of one session and of one CDR: what each says, links and lets do."""

from __future__ import annotations

import re
from datetime import timedelta

import orjson
from httpx import Response

from db_interface.json_data import JsonObject
from domain.exchanges.document import Bounds
from domain.exchanges.exchange import Direction, Subject
from domain.exchanges.recorder import Recorder, Rules
from domain.operators.actor import Role
from domain.outbox import deliveries
from domain.outbox.marks import MARKS, mark_id
from domain.sessions.credits import credit_cdr
from domain.sessions.power_samples import with_sample
from domain.sessions.session_records import SESSIONS
from tests.cpo_app.console.test_roles import visit_of
from tests.cpo_app.console.worlds import ORIGIN, VAULT, Night, Visit
from tests.domain.exchanges.samples import seen


def part(text: str, name: str) -> str:
    """The section of that id, without its tags."""
    found = re.search(rf'<section id="{name}".*?</section>', text, re.DOTALL)
    assert found is not None, name
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]))


def cdr_of(night: Night, session_id: str) -> JsonObject:
    async def read() -> JsonObject:
        found = await night.store.objects("cdrs").documents({"links.session": session_id.lower()})
        return dict(found[0]["fields"])

    return night.loop.run(read())


def exchange(night: Night, module: str, object_id: str, **facts: object) -> None:
    """We told the peer of it."""
    recorder = Recorder(night.db, Rules(True, Bounds(16_000, 1_000)), VAULT.digest)
    given: JsonObject = {
        "direction": Direction.OUT,
        "method": "POST",
        "url": f"https://msp.example/{module}",
        "subject": Subject(night.peer_id, module),
        "request": {"id": object_id},
        **facts,
    }
    recorder.take(seen(**given))
    night.loop.run(recorder.write())


def test_a_session_that_runs_tells_its_price_and_who_waits_for_it(night: Night) -> None:
    text = night.visit().get(f"/console/sessions/{night.running}").text
    course = part(text, "course")
    assert "1.83 kWh" in course and "0.88 EUR incl. VAT" in course
    assert 'class="figure old"' in text and "11.0 kW" in course  # not heard of for 5 minutes
    assert "Energy 1.83 kWh 1.83 kWh 0.4 20 % 0.7320 0.8784" in part(text, "price")
    assert "charging 9 min 1.830 kWh 11.0 kW 0.4 EUR per kWh, 20 % VAT T1" in part(text, "periods")
    assert "waiting since 2025-05-05 14:00:40" in part(text, "delivered")
    who = part(text, "who")
    assert "DE/MSP" in who and "a card at the charge point" in who
    for link in (
        "/console/charge-points/CP-001",
        f"/console/objects/sessions?key=nl%2Fevc%2F{night.running}",
    ):
        assert f'href="{link}"' in text
    assert "CARD-1" not in text


def test_the_curve_is_what_was_measured_where_that_is_kept(own_night: Night) -> None:
    night, opened = own_night, own_night.at(0)
    kept = b""
    for minute, power_w in enumerate((None, 11_000.0, 7_000.0, 3_500.0)):
        at = opened + timedelta(minutes=minute)
        kept = with_sample(kept, opened, at, 100.0 * minute, power_w)
    known = {"_id": night.running}
    path = f"/console/sessions/{night.running}"
    assert "mean power of each period" in night.visit().get(path).text
    night.loop.run(
        SESSIONS.of(night.db).update_one(known, {"$set": {"samples": kept, "created": opened}})
    )
    text = night.visit().get(path).text
    assert "mean power of each period" not in text
    assert "Power: from 0.0 to 11.0 kW, the most at 14:01:00" in part(text, "course")
    # A session that has ended kept what was measured while it ran: its CDR shows it, too.
    ended = night.visit().get(f"/console/cdrs/{cdr_of(night, night.ended)['id']}").text
    assert "Power: from 0.0 to 11.0 kW" in part(ended, "course")


def test_who_has_a_cdr_and_with_which_proof(own_night: Night) -> None:
    night = own_night
    cdr = cdr_of(night, night.ended)
    path = f"/console/cdrs/{cdr['id']}"
    mark = {"_id": mark_id(night.peer_id, "cdrs", f"nl/evc/{cdr['id']}")}

    def change(**fields: object) -> None:
        found = night.loop.run(MARKS.of(night.db).update_one(mark, {"$set": fields}))
        assert found

    assert "waiting since 2025-05-05 14:00:40" in part(night.visit().get(path).text, "delivered")
    change(error={"at": night.now, "text": "HTTP 400: no such token", "refused": True}, attempts=3)
    exchange(night, "cdrs", cdr["id"], status=400, response={"status_code": 2004})
    text = part(night.visit().get(path).text, "delivered")
    assert "refused" in text and "HTTP 400: no such token 3 tries" in text
    assert "HTTP 400, OCPI 2004" in text

    exchange(night, "cdrs", cdr["id"], status=201)
    marked = night.loop.run(MARKS.of(night.db).take(mark))
    assert marked is not None

    class Marked:
        id, peer_id, module = mark["_id"], night.peer_id, "cdrs"
        key = f"nl/evc/{cdr['id']}"

    night.loop.run(
        deliveries.keep_proof(
            night.db, Marked(), cdr["id"], "https://u:p@msp.example/cdrs/77?key=x", night.at(90)
        )
    )
    page = visit_of(night, Role.OPERATOR).get(path).text
    text = part(page, "delivered")
    assert "delivered 2025-05-05 14:01:30 HTTP 201, OCPI 1000" in text
    assert "https://msp.example/cdrs/77" in text and "u:p@" not in page and "key=x" not in page
    (found,) = re.findall(r'href="(/console/exchanges/[0-9a-f]{22})"', page)
    assert visit_of(night, Role.OPERATOR).get(found).status_code == 200
    viewed = visit_of(night, Role.VIEWER).get(path).text
    assert "HTTP 201, OCPI 1000" in viewed and "/console/exchanges" not in viewed


def test_credit_and_corrected_cdr_are_linked_both_ways(own_night: Night) -> None:
    night = own_night
    visit, cdr = night.visit(), cdr_of(night, night.ended)
    path = f"/console/cdrs/{cdr['id']}"
    text = visit.get(path).text
    assert "Energy 7.3 kWh 7.3 kWh 0.4 20 % 2.9200 3.5040" in part(text, "price")
    assert f'href="/console/sessions/{night.ended}"' in text
    answer = from_page(visit, path, f"{path}/credit", energy_kwh="5")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=cdrs.credit")
    text = visit.get(answer.headers["location"]).text
    assert "Credited: the credit CDR is on its way" in text
    assert f'action="{path}/credit"' not in text
    (corrected,) = re.findall(r'href="/console/cdrs/([0-9a-f-]{36})"', part_html(text, "others"))
    credit = visit.get(f"{path}-C").text
    assert f'takes back</span> <a class="id" href="{path}"' in credit
    assert "-2.9200 -3.5040" in part(credit, "price")
    assert "5.00 kWh" in part(visit.get(f"/console/cdrs/{corrected}").text, "course")
    session = part(visit.get(f"/console/sessions/{night.ended}").text, "cdrs")
    assert [one in session for one in (cdr["id"], f"{cdr['id']}-C", corrected)] == [True] * 3


def part_html(text: str, name: str) -> str:
    found = re.search(rf'<section id="{name}".*?</section>', text, re.DOTALL)
    assert found is not None, name
    return found[0]


def from_page(visit: Visit, page: str, path: str, **fields: str) -> Response:
    """A form of that page, sent as the browser does it."""
    token = visit.form_token(page)
    return visit.post(path, {"form_token": token, **fields}, Referer=f"{ORIGIN}{page}")


def test_a_session_is_ended_on_its_page(own_night: Night) -> None:
    night = own_night
    page, visit = f"/console/sessions/{night.running}", night.visit()
    answer = from_page(visit, page, f"{page}/end", energy_kwh="2,5")
    assert answer.headers["location"] == f"{page}?done=sessions.end"
    text = visit.get(answer.headers["location"]).text
    assert "Ended by hand" in text and "COMPLETED" in text
    assert "ended with 2.5 kWh by admin" in part(text, "state")
    assert f'action="{page}/end"' not in text and "Nothing is open." in text
    # Elsewhere the operator stays where he was: in the list of what needs a look.
    assert visit.submit(f"{page}/write-off").status_code == 409


def test_who_only_looks_finds_no_form_there(night: Night) -> None:
    visit = visit_of(night, Role.VIEWER)
    cdr = cdr_of(night, night.ended)["id"]
    pages = (night.running, night.ended, "S-UNBILLED")
    for path in (*(f"/console/sessions/{one}" for one in pages), f"/console/cdrs/{cdr}"):
        answer = visit.get(path)
        assert answer.status_code == 200, path
        page = answer.text.partition("<main")[2]  # above it: theme, sign out
        assert page, path
        assert 'method="post"' not in page, path
        assert not re.search(r'href="/console/(exchanges|commands)', page), path
    for path in (
        "/console/sessions/none",
        "/console/cdrs/none",
        f"/console/cdrs/{cdr}?party=DE/XYZ",
    ):
        assert visit.get(path).status_code == 404
    assert visit.get(f"/console/cdrs/{cdr}?party=x").status_code == 404
    assert visit.get(f"/console/cdrs/{cdr.upper()}?party=NL/EVC").status_code == 200


def test_a_session_without_its_details_is_told_by_its_cdr(own_night: Night) -> None:
    night = own_night
    gone = {"segments": "", "tariffs": "", "samples": ""}
    night.loop.run(
        SESSIONS.of(night.db).update_one(
            {"_id": night.ended}, {"$unset": gone, "$set": {"trimmed": night.now}}
        )
    )
    text = night.visit().get(f"/console/sessions/{night.ended}").text
    assert "this is what its CDR says" in text
    assert "2.9200 3.5040" in part(text, "price")
    assert "Nothing is open." in text


def test_a_cdr_that_says_another_total_than_it_comes_to_is_shown_up(own_night: Night) -> None:
    night = own_night
    cdr = cdr_of(night, night.ended)
    visit, path = night.visit(), f"/console/cdrs/{cdr['id']}"
    night.loop.run(credit_cdr(night.store, cdr["id"]))
    for one in (path, f"{path}-C"):
        assert "under other rules" not in visit.get(one).text
    changed = orjson.dumps({**cdr, "total_cost": {"excl_vat": 3.0, "incl_vat": 3.6}})

    async def change() -> None:
        rows = night.db["cdrs"]
        await rows.update_one({"_id": f"nl/evc/{cdr['id']}"}, {"$set": {"raw": changed}})

    night.loop.run(change())
    assert "under other rules" in visit.get(path).text
