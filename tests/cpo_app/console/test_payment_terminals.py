"""A payment terminal provider's page: its terminals, what was captured, and what can be done."""

from __future__ import annotations

import pytest

from domain.payments import payments
from domain.versions import ObjectKind
from tests.cpo_app.console.worlds import Night
from tests.cpo_app.ocpi.versions.test_payments import CONFIRMATION, TERMINAL

SECTION = 'id="terminals"'


@pytest.fixture
def night(own_night: Night) -> Night:
    return own_night


def test_its_terminals_stand_on_its_page_with_what_they_are_for(night: Night) -> None:
    visit = night.visit()
    page = f"/console/peers/{night.peer_id}"
    assert SECTION not in visit.get(page).text, "it has none, and offers none"

    terminal = {**TERMINAL, "location_ids": ["SITE-1"], "reference": "SN-0815"}
    captured = {**CONFIRMATION, "total_costs": {"excl_vat": 4.0, "incl_vat": 4.84}}
    for kind, data in (
        (ObjectKind.TERMINAL, terminal),
        (ObjectKind.FINANCIAL_ADVICE_CONFIRMATION, captured),
    ):
        night.loop.run(payments.keep(night.store, night.peer_id, kind, data))
    shown = visit.get(page).text
    assert SECTION in shown
    for text in ("T-1", "SN-0815", "SITE-1", "A-1", "4.00 EUR without taxes: SUCCESS"):
        assert text in shown
    for action in ("terminals/T-1/assign", "terminals/T-1/deactivate", "terminals/pull"):
        assert f"/console/peers/{night.peer_id}/{action}" in shown


def test_who_offers_none_cannot_be_asked(night: Night) -> None:
    visit = night.visit()
    answer = visit.submit(f"/console/peers/{night.peer_id}/terminals/pull")
    assert answer.status_code == 409
    assert "offers no terminals" in answer.text
