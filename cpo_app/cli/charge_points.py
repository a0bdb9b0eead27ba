"""`cpo charge-points`: what the operator does with single charge points."""

from __future__ import annotations

import typer

from cpo_app.cli.meter_keys import meter_key

app = typer.Typer(help="Charge points: the keys of their meters.", no_args_is_help=True)
app.command("meter-key")(meter_key)


@app.callback()
def _group() -> None:
    """Keeps `meter-key` a subcommand while it is the only one."""
