"""The example's application; the library alone answers."""

from __future__ import annotations

from fastapi import FastAPI
from py_ocpi.core.enums import ModuleID, RoleEnum
from py_ocpi.main import get_application
from py_ocpi.modules.versions.enums import VersionNumber

from bench.baseline.auth import ClientAuthenticator
from bench.baseline.crud import CrudExample


def create_app() -> FastAPI:
    return get_application(
        version_numbers=[VersionNumber.v_2_2_1],
        roles=[RoleEnum.cpo],
        modules=[ModuleID.locations],
        authenticator=ClientAuthenticator,
        crud=CrudExample,
    )
