"""Options that several commands take, and the settings with them laid over.

Light on purpose: what this imports every command imports.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cpo_app.settings import Settings
from db_interface.json_data import JsonObject

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Data directory of the embedded MongoDB (CPO_DATA_DIR); unused with CPO_MONGO_URL.",
        show_default=False,
    ),
]
Port = Annotated[int | None, typer.Option(min=1, max=65535, show_default=False)]


def settings_for(data_dir: Path | None = None, **changed: object) -> Settings:
    """The environment's settings with what the command line says laid over them."""
    given: JsonObject = {name: value for name, value in changed.items() if value is not None}
    if data_dir is not None:
        given["CPO_DATA_DIR"] = data_dir
    return Settings(**given)
