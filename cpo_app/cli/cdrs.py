"""`cpo cdrs`: look at charge detail records, hand them on, credit them. They are never edited."""

from __future__ import annotations

import sys
from decimal import Decimal, InvalidOperation
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Annotated

import orjson
import typer

from cpo_app.actions.cdrs import CREDIT
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act, words
from cpo_app.cli.agreement import Yes, agree, asks
from cpo_app.cli.errors import CliError
from cpo_app.cli.files import party_of, read_json
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json, print_line
from cpo_app.cli.price import print_reasons
from cpo_app.cli.spreadsheets import print_csv
from cpo_app.cli.tables import print_table
from cpo_app.cli.times import moment
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonMapping, JsonObject
from domain.metering.transparency import NotTransparent, transparency_file
from domain.objects.cdrs import UnknownCdr, all_cdrs, find_cdr, reprice
from domain.pricing import Priced, PricingInputError
from domain.reconciliation.cdr_totals import totals
from domain.sessions.cdr_time_zone import time_zone_of

app = typer.Typer(help="CDRs: list, show, export, transparency, credit.", no_args_is_help=True)

CdrId = Annotated[str, typer.Argument(metavar="ID", help="As `cpo cdrs list` shows it.")]
Party = Annotated[
    str | None, typer.Option("--party", metavar="CC/PID", help="Of this party of ours, as NL/EVC.")
]
Since = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Made at or after this time (UTC).")
]
Until = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="Made before this time (UTC).")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]

COSTS = (
    "total_cost",
    "total_fixed_cost",
    "total_energy_cost",
    "total_time_cost",
    "total_parking_cost",
    "total_reservation_cost",
)
COLUMNS = (
    *("country_code", "party_id", "id", "session_id", "start_date_time", "end_date_time"),
    *("token_country_code", "token_party_id", "token_uid", "token_contract_id", "auth_method"),
    *("authorization_reference", "location_id", "evse_uid", "evse_id", "connector_id"),
    *("total_energy", "total_time", "total_parking_time", "currency"),
    *(f"{cost}_{vat}" for cost in COSTS for vat in ("excl_vat", "incl_vat")),
    *("credit", "credit_reference_id", "remark", "last_updated"),
)


class Format(str, Enum):
    CSV = "csv"
    JSON = "json"


@app.command("list")
def list_cdrs(
    since: Since = None,
    until: Until = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="At most so many; the sums are of all.",
            show_default="100 in a table, all of them in JSON",
        ),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """CDRs, the newest first, and the sums of all by currency."""
    cdrs = _read(since, until, data_dir)
    if limit is None:
        limit = len(cdrs) if as_json else 100
    rows, sums = [_facts(cdr) for cdr in islice(reversed(cdrs), limit)], totals(cdrs)
    if as_json:
        print_json({"cdrs": rows, "totals": [total.fields() for total in sums]})
        return
    print_table(
        ("ID", "Start", "End", "Token", "EVSE", "kWh", "Excl. VAT", "Incl. VAT", "Credits"),
        (
            (
                row["id"],
                _minute(row["start_date_time"]),
                _minute(row["end_date_time"]),
                f"{row['token_country_code']}*{row['token_party_id']} {row['token_uid']}",
                row["evse_uid"],
                row["total_energy"],
                _amount(row["total_cost_excl_vat"], row["currency"]),
                _amount(row["total_cost_incl_vat"], row["currency"]),
                row["credit_reference_id"] or "",
            )
            for row in rows
        ),
        spared=("Credits", "End", "Token", "EVSE", "Excl. VAT", "Start"),
    )
    if len(rows) < len(cdrs):
        note(f"the newest {limit} of {len(cdrs)}; --limit shows more")
    for total in sums:
        note(total.said())


@app.command()
def show(
    cdr_id: CdrId,
    explain: Annotated[
        bool, typer.Option("--explain", help="Why it costs what it costs, as a table.")
    ] = False,
    party: Party = None,
    data_dir: DataDir = None,
) -> None:
    """A CDR as peers get it."""
    owner = party_of(party)

    async def work(backend: Backend) -> tuple[JsonObject, str]:
        cdr = await find_cdr(backend.store, cdr_id, owner)
        return cdr, await time_zone_of(backend.store, cdr)

    try:
        cdr, time_zone = on_backend(work, data_dir)
        print_json(cdr)
        if explain:
            _explain(cdr, reprice(cdr, time_zone))
    except (UnknownCdr, PricingInputError) as error:
        raise CliError(str(error)) from error


@app.command()
def export(
    kind: Annotated[Format, typer.Option("--format", help="One row per CDR, or whole CDRs.")] = (
        Format.JSON
    ),
    since: Since = None,
    until: Until = None,
    data_dir: DataDir = None,
) -> None:
    """Write CDRs to stdout: a JSON list of them, or CSV with a row and its totals for each."""
    cdrs = _read(since, until, data_dir)
    if kind is Format.JSON:
        rows = b",\n".join(orjson.dumps(cdr) for cdr in cdrs)
        sys.stdout.write(f"[\n{rows.decode()}\n]\n" if cdrs else "[\n]\n")
    else:
        print_csv(COLUMNS, (_facts(cdr) for cdr in cdrs))
    for total in totals(cdrs):
        note(total.said())


@app.command()
def transparency(
    cdr_id: CdrId,
    out: Annotated[
        Path | None, typer.Option(help="File to write; without it, standard output.")
    ] = None,
    party: Party = None,
    data_dir: DataDir = None,
) -> None:
    """The driver's file of signed meter values, for the S.A.F.E. Transparenzsoftware."""
    owner = party_of(party)

    async def work(backend: Backend) -> bytes:
        return transparency_file(await find_cdr(backend.store, cdr_id, owner))

    try:
        content = on_backend(work, data_dir)
        if out is not None:
            out.write_bytes(content)
    except NotTransparent as error:
        raise CliError(f"CDR {cdr_id} {error}") from error
    except (UnknownCdr, OSError) as error:
        raise CliError(str(error)) from error
    if out is None:
        sys.stdout.write(content.decode())


@app.command(help=words(CREDIT))
def credit(
    cdr_id: CdrId,
    corrected: Annotated[
        Path | None,
        typer.Option(help="JSON with the fields that the corrected CDR has otherwise."),
    ] = None,
    kwh: Annotated[
        str | None, typer.Option(help="The energy that the corrected CDR has, in kWh.")
    ] = None,
    party: Party = None,
    yes: Yes = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The CDRs themselves, as a pipe gets them.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    fields = None if corrected is None else read_json(corrected)
    if fields is not None and not isinstance(fields, dict):
        raise CliError(f"{corrected}: not an object with fields of a CDR")
    energy = None if kwh is None else _decimal(kwh)
    given = {"cdr_id": cdr_id, "corrected": fields, "energy_kwh": energy, "party": party}
    if asks(yes) and remote.server() is None:
        taken_back = _found(cdr_id, party_of(party), data_dir)
        instead = "nothing" if fields is None and energy is None else "a corrected CDR"
        agree(f"Credit {said(taken_back)}\n{instead} takes its place. {CREDIT.meaning}", yes)
        yes = True
    done = act(CREDIT, given, data_dir, yes=yes)
    if as_json or not sys.stdout.isatty():
        print_json(done)
        return
    print_line(f"credit     {said(done['credit'])}")
    if done["corrected"] is not None:
        print_line(f"corrected  {said(done['corrected'])}")


def _read(since: str | None, until: str | None, data_dir: Path | None) -> list[JsonObject]:
    start, end = moment(since, "--from"), moment(until, "--to")

    async def work(backend: Backend) -> list[JsonObject]:
        return [cdr async for cdr in all_cdrs(backend.store, since=start, until=end)]

    return on_backend(work, data_dir)


def _facts(cdr: JsonMapping) -> JsonObject:
    """One flat row of a CDR, by COLUMNS; None where it says nothing."""
    token, place = cdr["cdr_token"], cdr["cdr_location"]
    row: JsonObject = {name: cdr.get(name) for name in COLUMNS}
    row |= {f"token_{n}": token[n] for n in ("country_code", "party_id", "uid", "contract_id")}
    row |= {name: place[name] for name in ("evse_uid", "evse_id", "connector_id")}
    row["location_id"] = place["id"]
    for cost in COSTS:
        amount = cdr.get(cost) or {}
        row[f"{cost}_excl_vat"] = amount.get("excl_vat")
        row[f"{cost}_incl_vat"] = amount.get("incl_vat")
    return row


def _found(cdr_id: str, owner: tuple[str, str] | None, data_dir: Path | None) -> JsonObject:
    try:
        return on_backend(lambda backend: find_cdr(backend.store, cdr_id, owner), data_dir)
    except UnknownCdr as error:
        raise CliError(str(error)) from error


def said(cdr: JsonMapping) -> str:
    """A CDR on one line."""
    row = _facts(cdr)
    cost, currency = cdr["total_cost"], row["currency"]
    vat = f", {cost['incl_vat']} incl." if cost.get("incl_vat") is not None else ""
    return (
        f"{row['id']}: {row['total_energy']} kWh, {cost['excl_vat']} {currency} excl. VAT{vat}; "
        f"{_minute(row['start_date_time'])}, {row['evse_uid']}, "
        f"{row['token_country_code']}*{row['token_party_id']} {row['token_contract_id']}"
    )


def _minute(text: str) -> str:
    """Of a time as OCPI writes it."""
    return text[:16].replace("T", " ")


def _amount(value: float | None, currency: str) -> str | None:
    return None if value is None else f"{value} {currency}"


def _of(value: float | None) -> Decimal:
    return Decimal(repr(value or 0.0))


def _explain(cdr: JsonMapping, priced: Priced | None) -> None:
    if priced is None:
        note("no tariff was in force: free of charge")
        return
    print_reasons(priced)
    sign = -1 if cdr.get("credit") else 1
    if sign * _of(cdr["total_cost"]["excl_vat"]) != priced.total_cost.excl:
        note("its total_cost differs from what its tariffs and periods come to")


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise CliError(f"--kwh {text}: is not a number") from None
    if not value.is_finite() or value < 0:
        raise CliError(f"--kwh {text}: is not an energy")
    return value
