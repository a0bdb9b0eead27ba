"""CDRs are reconciled with peers of each OCPI version, whose ids of them may be shorter than ours,
and with peers that have moved to another one since."""

from __future__ import annotations

from typing import Any

import pytest

from db_interface.owned_objects import OwnedObject
from domain.objects.cdrs import owned_cdr
from domain.schemas import CDR, format_datetime, validate
from domain.versions import VERSIONS, OcpiVersion
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.receiving_emsp import Receiver
from tests.cpo_app.ocpi.push.test_cdr_reconciliation import LATER, forget, outcomes, reconciled
from tests.cpo_app.ocpi.push.test_versions import OWNER, moved_to
from tests.domain.schemas.samples import cdr, tariff

LONG = "0f8fad5b-d9cb-469f-a165-70867728950e"
CREDIT = f"{LONG}-C"
"""Longer than 2.1.1 takes."""


@pytest.fixture(params=list(VERSIONS))
def version(request: pytest.FixtureRequest) -> OcpiVersion:
    return VERSIONS[request.param]


def bill(cdr_id: str, **fields: Any) -> OwnedObject:
    whole = cdr(
        **OWNER,
        id=cdr_id,
        session_id="S1",
        tariffs=[tariff(**OWNER)],
        last_updated=format_datetime(LATER),
        **fields,
    )
    return owned_cdr(validate(CDR, whole))


def billed(house: House, version: OcpiVersion) -> tuple[Receiver, str]:
    """A peer that has a CDR and its credit, and no receipt is kept."""
    receiver = house.emsp()
    peer_id = house.connect(receiver, "DE*TNM", version=version.number)
    house.publish("cdrs", bill(LONG))
    credited = {"excl_vat": -4.0, "incl_vat": -4.84}
    house.publish("cdrs", bill(CREDIT, credit=True, credit_reference_id=LONG, total_cost=credited))
    with house.pushing():
        house.until_nothing_is_left()
    forget(house)
    return receiver, peer_id


def test_lost_receipts_are_made_good_in_every_version(house: House, version: OcpiVersion) -> None:
    receiver, peer_id = billed(house, version)
    assert set(receiver.cdrs) == {version.cdr_id(LONG), version.cdr_id(CREDIT)}
    assert outcomes(reconciled(house, peer_id)) == {"confirmed": 2}
    assert outcomes(reconciled(house, peer_id)) == {"proven": 2}
    assert len(receiver.of("POST", "cdrs")) == 2


@pytest.mark.parametrize("number", VERSIONS)
def test_whoever_has_moved_is_not_billed_once_more(
    house: House, version: OcpiVersion, number: str
) -> None:
    """It has them under the ids of the version in which they were sent."""
    _, peer_id = billed(house, version)
    moved_to(house, peer_id, VERSIONS[number])
    assert outcomes(reconciled(house, peer_id)) == {"confirmed": 2}


def test_another_cost_at_the_peer_is_seen_in_every_version(
    house: House, version: OcpiVersion
) -> None:
    receiver, peer_id = billed(house, version)
    bodies = receiver.cdrs[version.cdr_id(CREDIT)]
    assert b"-4.0" in bodies[-1]
    bodies.append(bodies[-1].replace(b"-4.0", b"-3.0"))
    assert outcomes(reconciled(house, peer_id)) == {"confirmed": 1, "different": 1}


def test_what_a_peer_lacks_is_found_out_in_every_version(
    house: House, version: OcpiVersion
) -> None:
    receiver, peer_id = billed(house, version)
    del receiver.cdrs[version.cdr_id(CREDIT)]
    result = reconciled(house, peer_id)
    assert outcomes(result) == {"confirmed": 1, "missing": 1}
    assert result.named == [{"cdr_id": CREDIT, "outcome": "missing"}]
