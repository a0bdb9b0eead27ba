"""Registers are looked at by themselves, and what does not add up is seen everywhere."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cpo_app.doctor.contents import check_contents
from cpo_app.doctor.findings import Finding
from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.peer_services.cdr_reconciliation import CdrReconciliation
from cpo_app.reconciling import Reconciling
from cpo_app.settings import Settings
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.peers.peers import Peers
from domain.reconciliation.cdr_arrivals import Arrivals, Outcome, keep
from domain.secrets import Vault
from tests.conftest import Loop
from tests.cpo_app.console.worlds import Night


@pytest.fixture
def night(db: Database, loop: Loop) -> Night:
    return Night(db, loop).fill()


def nothing_to_ask(night: Night) -> CdrReconciliation:
    async def make() -> CdrReconciliation:
        client = PeerClient(allow_private=True)
        return CdrReconciliation(
            DbInterface(night.db), Peers(night.db, Vault("v" * 40)), client, timeout_s=1
        )

    return night.loop.run(make())


def test_a_gap_is_found_in_a_round_and_shown_on_console_metrics_and_doctor(night: Night) -> None:
    now = night.db.now()

    async def sessions() -> None:
        for number, start_wh in enumerate((0.0, 2500.0)):
            await night.db["charging_sessions"].insert_one(
                {
                    "_id": f"R{number}",
                    "cp_id": "CP-R",
                    "connector_id": "1",
                    "status": "COMPLETED",
                    "running": False,
                    "country_code": "NL",
                    "party_id": "EVC",
                    "created": now - timedelta(hours=3 - number),
                    "started": now - timedelta(hours=3 - number),
                    "register_start_wh": start_wh,
                    "register_end_wh": start_wh,
                    "energy_wh": 0.0,
                }
            )

    night.loop.run(sessions())
    reconciling = Reconciling(night.db, Settings(CPO_RECONCILE_DAYS=2), nothing_to_ask(night))
    night.loop.run(reconciling.round())
    visit = night.visit()
    page = visit.get("/console/reconciliation").text
    assert "CP-R" in page
    assert "2.500\xa0kWh" in page
    metrics = visit.get("/metrics").text
    assert 'cpo_register_findings{kind="gap"} 1.0' in metrics
    assert 'cpo_register_findings_wh{kind="gap"} 2500.0' in metrics

    async def doctor() -> list[Finding]:
        return [finding async for finding in check_contents(night.db, Vault("v" * 40), now)]

    [finding] = [one for one in night.loop.run(doctor()) if one.check == "registers"]
    assert "1 gap (2.5 kWh)" in finding.said


def test_what_a_peer_has_not_got_is_seen_on_console_metrics_and_doctor(night: Night) -> None:
    now = night.db.now()
    result = Arrivals("peer-1", now - timedelta(days=1), now)
    cdr = {"id": "C1", "currency": "EUR", "total_energy": 3.0, "total_cost": {"excl_vat": 2.0}}
    result.note(cdr, Outcome.MISSING)
    result.note({**cdr, "id": "C2"}, Outcome.PROVEN)
    night.loop.run(keep(night.db, result))
    visit = night.visit()
    page = visit.get("/console/reconciliation").text
    assert "missing: 1 CDRs" in page
    assert "proven: 1 CDRs" in page
    assert 'cpo_cdrs_to_look_at{peer="peer-1"} 1.0' in visit.get("/metrics").text

    async def doctor() -> list[Finding]:
        return [finding async for finding in check_contents(night.db, Vault("v" * 40), now)]

    [finding] = [one for one in night.loop.run(doctor()) if one.check == "CDRs at peers"]
    assert "1 at peer-1" in finding.said
