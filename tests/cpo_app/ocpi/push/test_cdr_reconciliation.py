"""Every CDR that a peer should have is proven, or asked for, or sent again after asking."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest

from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.peer_services.cdr_reconciliation import CdrReconciliation
from db_interface.owned_objects import OwnedObject, OwnedObjects
from domain.outbox.deliveries import DELIVERIES, Delivery
from domain.outbox.marks import MARKS, mark_id
from domain.reconciliation.cdr_arrivals import RESULTS, Arrivals, Outcome
from domain.schemas import format_datetime
from tests.cpo_app.ocpi.push.conftest import House, house  # noqa: F401
from tests.cpo_app.ocpi.push.objects import TOKEN
from tests.cpo_app.ocpi.push.receiving_emsp import Got

LATER = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=1)
UNTIL = LATER + timedelta(days=1)


def issued(cdr_id: str, kwh: float = 10.0, cost: float = 1.5) -> OwnedObject:
    fields = {
        "country_code": "NL",
        "party_id": "EVC",
        "id": cdr_id,
        "cdr_token": TOKEN,
        "currency": "EUR",
        "total_energy": kwh,
        "total_cost": {"excl_vat": cost, "incl_vat": cost * 2},
        "last_updated": format_datetime(LATER),
    }
    return OwnedObject("NL", "EVC", (cdr_id,), fields, LATER, audience="de*tnm")


def reconciled(house: House, peer_id: str, *, max_per_s: float = 1000) -> Arrivals:  # noqa: F811
    async def run() -> Arrivals:
        async with PeerClient(allow_private=True) as client:
            asking = CdrReconciliation(
                house.store, house.peers, client, timeout_s=2, max_per_s=max_per_s
            )
            return await asking.of(peer_id, LATER - timedelta(days=3), UNTIL)

    return house.loop.run(run(), timeout_s=300)


def forget(house: House, *, marks: bool = True) -> None:  # noqa: F811
    """Receipts (and marks) are lost, as after a restored backup."""
    house.loop.run(DELIVERIES.of(house.db).delete_many({}))
    if marks:
        house.loop.run(MARKS.of(house.db).delete_many({}))


def outcomes(result: Arrivals) -> dict[str, int]:
    return {outcome.value: result.number(outcome) for outcome in result.totals}


def test_receipts_prove_without_a_request_and_sums_are_told(house: House) -> None:  # noqa: F811
    receiver, peer_id = house.peer()
    for number in range(3):
        house.publish("cdrs", issued(f"C{number}"))
    with house.pushing():
        house.until_nothing_is_left()
    house.publish("cdrs", issued("C-NEW"))
    asked = len(receiver.got)
    result = reconciled(house, peer_id)
    assert outcomes(result) == {"proven": 3, "waiting": 1}
    assert (len(receiver.got), result.requests) == (asked, 0)
    [kept] = house.loop.run(RESULTS.of(house.db).find({}))
    assert kept["_id"] == peer_id
    assert (kept["result"]["expected"], kept["result"]["arrived"]) == (4, 3)
    [totals] = kept["result"]["outcomes"]["proven"]["totals"]
    assert (totals["number"], totals["total_energy"]) == (3, 30.0)
    assert (totals["excl_vat"], totals["incl_vat"]) == (4.5, 9.0)


def test_a_lost_receipt_is_made_good_by_asking(house: House) -> None:  # noqa: F811
    receiver, peer_id = house.peer()
    house.publish("cdrs", issued("C1"))
    with house.pushing():
        house.until_nothing_is_left()
    forget(house)
    assert outcomes(reconciled(house, peer_id)) == {"confirmed": 1}
    assert outcomes(reconciled(house, peer_id)) == {"proven": 1}
    assert len(receiver.of("POST", "cdrs")) == 1


def test_what_a_peer_has_not_got_is_sent_again_after_it_was_asked(house: House) -> None:  # noqa: F811
    receiver, peer_id = house.peer()
    house.publish("cdrs", issued("C1"))
    forget(house)  # nobody knows that it has to be sent
    result = reconciled(house, peer_id)
    assert outcomes(result) == {"missing": 1}
    assert result.named == [{"cdr_id": "C1", "outcome": "missing"}]
    assert receiver.of("GET", "cdrs")
    assert receiver.of("POST", "cdrs") == []
    [mark] = house.marks()
    assert mark["posting"], "the push asks once more before it sends"
    assert outcomes(reconciled(house, peer_id)) == {"waiting": 1}
    # As if the time that a first try may take were over.
    long_ago = {"posting": mark["posting"] - timedelta(hours=1)}
    house.loop.run(MARKS.of(house.db).update_many({}, {"$set": long_ago}))
    with house.pushing(timeout_s=0.3):
        house.until_nothing_is_left()
    assert len(receiver.cdrs["C1"]) == 1
    assert outcomes(reconciled(house, peer_id)) == {"proven": 1}


def test_another_cost_at_the_peer_is_a_difference(house: House) -> None:  # noqa: F811
    receiver, peer_id = house.peer()
    house.publish("cdrs", issued("C1"))
    with house.pushing():
        house.until_nothing_is_left()
    forget(house)
    receiver.cdrs["C1"].append(receiver.cdrs["C1"][0].replace(b"1.5", b"1.6"))
    assert outcomes(reconciled(house, peer_id)) == {"different": 1}
    assert house.marks() == []


@pytest.mark.parametrize(
    ("fault", "outcome"), [("405", "unclear"), ("503", "unreachable"), ("401", "unreachable")]
)
def test_a_peer_that_cannot_tell_is_sent_nothing(
    house: House,  # noqa: F811
    fault: str,
    outcome: str,
) -> None:
    _, peer_id = house.peer(fault=lambda got: fault)
    house.publish("cdrs", issued("C1"))
    forget(house)
    result = reconciled(house, peer_id)
    assert outcomes(result) == {outcome: 1}
    assert (result.problem is not None) == (outcome == "unreachable")
    assert house.marks() == []


def test_receipts_are_read_in_bulk(house: House) -> None:  # noqa: F811
    """A fifth of a hundred thousand, in a fifth of the ten minutes that those may take."""
    receiver, peer_id = house.peer()
    template = issued("X").document()
    number = 20_000

    async def fill() -> None:
        cdrs, receipts = OwnedObjects(house.db, "cdrs").of(house.db), DELIVERIES.of(house.db)
        for first in range(0, number, 10_000):
            batch = range(first, first + 10_000)
            await cdrs.insert_many(
                [
                    {
                        **template,
                        "_id": f"nl/evc/c{n}",
                        "lid": f"c{n}",
                        "seq": n,
                        "raw": b"{}",
                        "fields": {**template["fields"], "id": f"C{n}"},
                    }
                    for n in batch
                ]
            )
            made: list[Delivery] = [
                {
                    "_id": mark_id(peer_id, "cdrs", f"nl/evc/c{n}"),
                    "peer_id": peer_id,
                    "module": "cdrs",
                    "key": f"nl/evc/c{n}",
                    "id": f"C{n}",
                    "location": f"{receiver.base_url}/cdrs/C{n}",
                    "at": LATER,
                }
                for n in batch
                if n % 1000  # a few are left open
            ]
            await receipts.insert_many(made)

    house.loop.run(fill(), timeout_s=120)
    began = time.monotonic()
    result = reconciled(house, peer_id)
    took_s = time.monotonic() - began
    assert outcomes(result) == {"proven": number - 20, "missing": 20}
    assert result.requests == 20
    [totals] = result.totals[Outcome.PROVEN].fields()
    assert totals["total_energy"] == (number - 20) * 10.0
    assert took_s < 120


def test_a_peer_is_asked_no_faster_than_it_is_said(house: House) -> None:  # noqa: F811
    arrived: list[float] = []

    def note(got: Got) -> str | None:
        arrived.append(time.monotonic())
        return None

    _, peer_id = house.peer(fault=note)
    for number in range(4):
        house.publish("cdrs", issued(f"C{number}"))
    forget(house)
    reconciled(house, peer_id, max_per_s=20)
    # Two URLs for each of the four: eight requests, 50 ms apart.
    assert len(arrived) == 8
    assert arrived[-1] - arrived[0] >= 7 * 0.05 - 0.04
