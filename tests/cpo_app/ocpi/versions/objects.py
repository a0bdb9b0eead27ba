"""Objects of ours in the store, published as their makers do."""

from __future__ import annotations

from typing import Any

from db_interface.owned_objects import OwnedObject, party_key
from domain.objects.cdrs import owned_cdr
from domain.objects.locations import owned_location
from domain.objects.tariffs import owned_tariff
from domain.outbox.publishing import publish
from domain.schemas import CDR, Session, Tariff, parse_datetime, validate
from tests.cpo_app.ocpi.conftest import Face
from tests.domain.schemas.samples import cdr, connector, evse, location, tariff

AT = "2026-03-01T12:00:00Z"
OWNER = {"country_code": "DE", "party_id": "CPO"}
SINCE = "2020-01-01T00:00:00Z"


def publish_all(face: Face) -> None:
    """A location, a tariff, and a session and CDR of DE*TNM's driver there."""
    place = location(
        **OWNER,
        postal_code="9000",
        evses=[evse(connectors=[connector(tariff_ids=["12"])])],
    )
    session = validate(
        Session,
        {
            **OWNER,
            "id": "S1",
            "start_date_time": AT,
            "kwh": 1.5,
            "cdr_token": cdr()["cdr_token"],
            "auth_method": "COMMAND",
            "location_id": "LOC1",
            "evse_uid": "Evse-1",
            "connector_id": "1",
            "currency": "EUR",
            "total_cost": {"excl_vat": 4.0, "incl_vat": 4.84},
            "status": "ACTIVE",
            "last_updated": AT,
        },
    )
    bill = validate(CDR, cdr(**OWNER, id="C1", session_id="S1", tariffs=[tariff(**OWNER)]))
    keep(face, "locations", owned_location(place))
    keep(face, "tariffs", owned_tariff(validate(Tariff, tariff(**OWNER))))
    keep(
        face,
        "sessions",
        OwnedObject("DE", "CPO", ("S1",), session, parse_datetime(AT), party_key("DE", "TNM")),
    )
    keep(face, "cdrs", owned_cdr(bill))


def publish_locations(face: Face, number: int, **fields: Any) -> None:
    for n in range(number):
        place = location(**{**OWNER, "id": f"LOC{n}", "postal_code": "9000", **fields})
        keep(face, "locations", owned_location(place))


def keep(face: Face, module: str, obj: OwnedObject) -> None:
    store = face.store
    face.loop.run(store.transact(lambda tx: publish(store, module, obj, tx)))
