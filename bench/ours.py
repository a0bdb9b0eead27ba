"""Our OCPI face as it runs in the product, its recorder too, for one measuring peer. The signal
SWITCH has it record where it did not, and the other way round."""

from __future__ import annotations

import asyncio
import os

from bench.processes import SWITCH
from cpo_app.left_out import the_librarys_routers
from cpo_app.quick_imports import for_good, quick_imports

with quick_imports():  # as cpo_app/worker.py does
    the_librarys_routers()
    from fastapi import FastAPI

    from auth.authenticator import OcpiAuthenticator
    from cpo_app.exchange_recording import recording_rules
    from cpo_app.ocpi.server.app import build_ocpi_app
    from cpo_app.settings import Settings
    from crud.cpo_crud import CpoCrud
    from db_interface.database import Database
    from db_interface.interface import DbInterface
    from domain.exchanges.recorder import Recorder
    from domain.peers.peers import Peers
    from domain.secrets import Vault


def create_app() -> FastAPI:
    db = Database.connect(os.environ["CPO_MONGO_URL"], os.environ["BENCH_DATABASE"])
    vault, settings = Vault(os.environ["CPO_ENCRYPTION_KEY"]), Settings()
    authenticator = OcpiAuthenticator(db, Peers(db, vault))
    recorder = Recorder(db, recording_rules(settings), vault.digest)
    app = build_ocpi_app(settings, CpoCrud(DbInterface(db)), authenticator, recorder=recorder)

    def switch() -> None:
        recorder.on = not recorder.on

    def start() -> None:
        recorder.rounds.start()
        asyncio.get_running_loop().add_signal_handler(SWITCH, switch)

    app.router.on_startup.append(start)
    for_good()
    return app
