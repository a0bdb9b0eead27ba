"""Tariffs on the console: read as sentences, written with a check as one types, never over another
person's change."""

from __future__ import annotations

import html
import json
import re
from functools import partial
from typing import Any

import pytest

from cpo_app.console import lists
from domain.audit.entries import AUDIT
from domain.objects.finding import find_object
from domain.objects.tariffs import owned_tariff
from domain.platform_facts import set_default_tariff
from tests.cpo_app.console.worlds import Night, Visit, basic
from tests.domain.schemas.samples import tariff

EDIT = "/console/tariffs/edit"
SAMPLE = {"start": "2026-07-01T19:00", "zone": "UTC", "kwh": "20", "minutes": "120", "idle": "0"}


def text_in(page: str) -> str:
    """What stands in the editor."""
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.S)
    assert found is not None, page
    return html.unescape(found[1])


def seen_in(page: str) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def stored(night: Night, tariff_id: str) -> dict[str, Any]:
    return dict(night.loop.run(find_object(night.store, "tariffs", tariff_id))["fields"])


def saved(visit: Visit, text: str, seen: str) -> Any:
    token = visit.form_token(EDIT)
    fields = {"form_token": token, "tariff": text, "seen": seen, "do": "save", **SAMPLE}
    return visit.post(EDIT, fields)


def test_a_new_tariff_from_a_few_figures_to_its_page(own_night: Night) -> None:
    visit = own_night.visit()
    page = visit.get(
        f"{EDIT}?id=DAY&currency=EUR&per_kwh=0,35&day_from=08:00&day_to=20:00&else_per_kwh=0.29"
    ).text
    assert "0.35 €/kWh from 08:00 to 20:00, else 0.29" in page
    made = saved(visit, text_in(page), seen_in(page))
    assert made.status_code == 303, made.text
    assert stored(own_night, "DAY")["elements"][0]["price_components"][0]["price"] == 0.35
    own = visit.get(f"{made.headers['location']}&start=2026-07-01T19:00&minutes=120&kwh=20").text
    assert "Taken over." in own and "0.35 €/kWh from 08:00 to 20:00, else 0.29" in own
    # One hour by day, one by night.
    assert re.search(r"<strong>6\.40 EUR</strong> with VAT", own)
    assert "nothing is priced by it" in own.lower()
    assert "DAY" in visit.get("/console/tariffs").text
    again = saved(visit, text_in(page), "new")
    assert (again.status_code, "there is a tariff DAY already" in again.text) == (409, True)


def test_nobody_writes_over_a_change_that_he_has_not_seen(own_night: Night) -> None:
    visit = own_night.visit()
    page = visit.get(f"{EDIT}?id=DAY&per_kwh=0.4").text
    saved(visit, text_in(page), "new")
    mine, theirs = (visit.get(f"{EDIT}?key=nl/evc/day").text for _ in range(2))
    dearer = json.loads(text_in(theirs))
    dearer["elements"][0]["price_components"][0]["price"] = 0.5
    assert saved(visit, json.dumps(dearer), seen_in(theirs)).status_code == 303

    late = saved(visit, text_in(mine), seen_in(mine))
    assert late.status_code == 409
    assert "DAY was changed meanwhile" in late.text
    assert json.loads(text_in(late.text)) == json.loads(text_in(mine))  # nothing typed is lost
    assert stored(own_night, "DAY")["elements"][0]["price_components"][0]["price"] == 0.5
    entries = own_night.loop.run(AUDIT.of(own_night.db).find({"action": "tariffs.import"}))
    assert [one["result"] for one in entries] == ["done", "done", "refused"]


def test_what_is_typed_is_judged_field_by_field(night: Night) -> None:
    visit = night.visit()
    token = visit.form_token(EDIT)

    def said(text: str, **sample: str) -> str:
        fields = {"form_token": token, "tariff": text, "seen": "new", **SAMPLE, **sample}
        answer = visit.post(EDIT, fields, x_live="1")
        assert answer.status_code == 200 and "<main" not in answer.text
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))

    right = json.loads(text_in(visit.get(EDIT).text))
    assert "0.49 €/kWh" in said(json.dumps(right))
    assert "9.80 EUR with VAT" in said(json.dumps(right))
    wrong = json.dumps({**right, "currency": "EURO"}, indent=1)
    assert "line 5 currency" in said(wrong)
    assert "line 2 no valid JSON" in said('{\n "id" "X"}')
    assert "No price: sample, start: is no time" in said(json.dumps(right), start="soon")
    assert "No price: time zone: 'Mars' is unknown" in html.unescape(
        said(json.dumps(right), zone="Mars")
    )
    whole = visit.submit(EDIT, tariff=wrong, seen="new", do="check", **SAMPLE)  # without a script
    assert (whole.status_code, "line 5" in whole.text, "<main" in whole.text) == (200, True, True)
    assert json.loads(text_in(whole.text))["currency"] == "EURO"


def test_writing_is_for_who_may(own_night: Night) -> None:
    visit = own_night.visit()
    visit.submit("/console/operators", name="ines", role="operator", password="a word of her own")
    ines = own_night.visit(signed_in=False)
    ines.http.headers.update(basic("a word of her own", "ines"))
    assert ines.get(EDIT).status_code == 403
    assert ines.get("/console/tariffs").status_code == 200
    assert EDIT not in ines.get("/console/tariffs").text


def test_there_are_as_many_pages_of_tariffs_as_it_takes(
    own_night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PAGE", 2)
    night, visit = own_night, own_night.visit()
    new = [tariff(country_code="NL", party_id="EVC", id=f"X{n}") for n in range(5)]
    owned = [owned_tariff(one) for one in new]
    night.loop.run(night.store.transact(partial(night.store.objects("tariffs").put_new, owned)))
    night.loop.run(night.store.transact(lambda tx: set_default_tariff(tx, "x3")))
    seen, path = [], "/console/tariffs?party=nl/evc"
    while path:
        page = visit.get(path).text
        seen += re.findall(r">(X\d)</a>(?: <span class=\"dim\">(default)</span>)?", page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        path = html.unescape(found[1]) if found else ""
    assert seen == [("X4", ""), ("X3", "default"), ("X2", ""), ("X1", ""), ("X0", "")]
    assert "No tariff fits" in visit.get("/console/tariffs?party=DE/XXX").text
