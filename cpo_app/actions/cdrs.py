"""What is done to charge detail records: they are credited, never edited."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field, validator

from cpo_app.actions.action import Action, Parameters
from cpo_app.actions.house import House
from cpo_app.actions.readings import party_pair
from db_interface.json_data import JsonObject
from domain.audit import entries as audit
from domain.objects.cdrs import UnknownCdr
from domain.operators.actor import Role
from domain.schemas import SchemaError
from domain.sessions.credits import CreditRefused, credit_cdr


class Crediting(Parameters):
    cdr_id: str = Field(..., min_length=1, max_length=64, title="CDR")
    energy_kwh: Decimal | None = Field(
        None, ge=0, le=1_000_000, title="Energy of the corrected CDR in kWh (empty: none is made)"
    )
    corrected: JsonObject | None = Field(
        None, title="Fields that the corrected CDR has otherwise (JSON)"
    )
    party: str | None = Field(
        None, max_length=6, title="Party of ours (NL/EVC), where several have one of that id"
    )

    @validator("energy_kwh", pre=True)
    def _decimal_comma(cls, value: object) -> object:
        return value.replace(",", ".") if isinstance(value, str) else value


async def _credit(house: House, given: Crediting) -> JsonObject:
    done = await credit_cdr(
        house.store,
        given.cdr_id,
        party=party_pair(given.party),
        corrected=given.corrected,
        kwh=given.energy_kwh,
    )
    return {"credit": done.credit, "corrected": done.corrected}


CREDIT = Action(
    name="cdrs.credit",
    title="Credit",
    meaning="Takes the whole CDR back with a credit CDR; with an energy or other fields, a "
    "corrected CDR takes its place in the same step. A CDR is credited once.",
    done="Credited: the credit CDR is on its way to the peer.",
    needs=Role.MONEY,
    path="/cdrs/{cdr_id}/credit",
    parameters=Crediting,
    run=_credit,
    about=lambda given: (audit.cdr(given.cdr_id),),
    refusals={UnknownCdr: 404, CreditRefused: 409, SchemaError: 422},
    danger=True,
)
ACTIONS = (CREDIT,)
