"""`cpo price`: what a CDR costs under a tariff, as JSON, and with --explain why."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from cpo_app.cli.errors import CliError
from cpo_app.cli.files import read_json
from cpo_app.cli.output import print_json
from cpo_app.cli.tables import print_table
from domain.pricing import Priced, PricingInputError, explain_lines, price_files


def price(
    tariff: Annotated[Path, typer.Option(help="A JSON file with an OCPI Tariff.")],
    cdr: Annotated[Path, typer.Option(help="A JSON file with an OCPI CDR (or ended Session).")],
    time_zone: Annotated[
        str, typer.Option(help="The location's, as Europe/Amsterdam: tariffs are in local time.")
    ] = "UTC",
    explain: Annotated[
        bool, typer.Option("--explain", help="The reasons as a table, after the JSON.")
    ] = False,
) -> None:
    """Price a CDR under a tariff: OCPI's totals as JSON."""
    try:
        priced = price_files(read_json(tariff), read_json(cdr), time_zone)
    except PricingInputError as error:
        raise CliError(str(error)) from error
    print_json(priced.totals())
    if explain:
        print_reasons(priced)


def print_reasons(priced: Priced) -> None:
    """The explanation as a table, a row per period and dimension."""
    rows = explain_lines(priced)
    if not rows:
        return
    names = [name for name in rows[0] if any(row[name] for row in rows)]
    print_table(_titles(names), ([row[name] for name in names] for row in rows))


def _titles(names: Iterable[str]) -> list[Any]:
    return [name.replace("_", " ") for name in names]
