"""Our OCPI face as it runs in the product, for one measuring peer."""

from __future__ import annotations

import os

from fastapi import FastAPI

from auth.authenticator import OcpiAuthenticator
from cpo_app.ocpi.server.app import build_ocpi_app
from cpo_app.quick_imports import quick_imports
from cpo_app.settings import Settings
from crud.cpo_crud import CpoCrud
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.peers.peers import Peers
from domain.secrets import Vault


def create_app() -> FastAPI:
    with quick_imports():
        return _made()


def _made() -> FastAPI:
    db = Database.connect(os.environ["CPO_MONGO_URL"], os.environ["BENCH_DATABASE"])
    authenticator = OcpiAuthenticator(db, Peers(db, Vault(os.environ["CPO_ENCRYPTION_KEY"])))
    return build_ocpi_app(Settings(), CpoCrud(DbInterface(db)), authenticator)
