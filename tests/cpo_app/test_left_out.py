"""What is left out at a start is missed by nobody: the same routes and docs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from py_ocpi.core.crud import Crud
from py_ocpi.core.routers import ROUTERS

from cpo_app.left_out import the_librarys_routers
from cpo_app.ocpi.server.app import build_ocpi_app
from tests.settings_of import settings_of

if TYPE_CHECKING:
    from auth.authenticator import OcpiAuthenticator

WITHOUT_COMMAND_LINE = """
from cpo_app.left_out import what_no_process_needs
what_no_process_needs()
import sys, httpx
assert "rich" not in sys.modules and callable(httpx.main)
"""
OF_A_WORKER = """
from cpo_app import worker
from tests.cpo_app.test_left_out import told_of_routes
print(told_of_routes())
"""


def told_of_routes() -> str:
    """The OCPI app's routes, and its docs, as JSON."""
    settings = settings_of(OCPI_HOST="cpo.example", COUNTRY_CODE="DE", PARTY_ID="CPO")
    app = build_ocpi_app(settings, Crud, cast("OcpiAuthenticator", None))
    routes = [
        (getattr(route, "path", ""), sorted(getattr(route, "methods", None) or ()))
        for route in app.routes
    ]
    loaded = "py_ocpi.modules.locations.v_2_2_1.api" in sys.modules
    return json.dumps({"routes": routes, "docs": app.openapi(), "the library's": loaded})


def run(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    ).stdout


def test_httpx_does_without_its_command_line() -> None:
    run(WITHOUT_COMMAND_LINE)


def test_a_worker_has_the_same_routes_and_docs_without_the_librarys() -> None:
    without, whole = json.loads(run(OF_A_WORKER)), json.loads(told_of_routes())
    assert (without.pop("the library's"), whole.pop("the library's")) == (False, True)
    assert len(without["routes"]) > 50
    assert without == whole


def test_where_the_library_is_there_already_it_stays_whole() -> None:
    the_librarys_routers()
    assert all(table["cpo_router"] and table["emsp_router"] for table in ROUTERS.values())
