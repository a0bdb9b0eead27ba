"""Our enums and the library's have the same members, so that either may stand for the other."""

from __future__ import annotations

import inspect
from enum import Enum
from types import ModuleType

import py_ocpi.core.enums as core
import py_ocpi.modules.cdrs.v_2_2_1.enums as cdrs
import py_ocpi.modules.chargingprofiles.v_2_2_1.enums as chargingprofiles
import py_ocpi.modules.commands.v_2_2_1.enums as commands
import py_ocpi.modules.hubclientinfo.v_2_2_1.enums as hubclientinfo
import py_ocpi.modules.locations.v_2_2_1.enums as locations
import py_ocpi.modules.sessions.v_2_2_1.enums as sessions
import py_ocpi.modules.tariffs.v_2_2_1.enums as tariffs
import py_ocpi.modules.tokens.v_2_2_1.enums as tokens
import py_ocpi.modules.versions.v_2_2_1.enums as versions
import pytest

from domain.schemas import enums, location_enums
from domain.schemas.enums import OcpiEnum

LIBRARYS_NAMES = {"Role": "RoleEnum"}


def enums_of(*modules: ModuleType) -> dict[str, type[Enum]]:
    return {
        name: kind
        for module in modules
        for name, kind in vars(module).items()
        if inspect.isclass(kind) and issubclass(kind, Enum) and kind not in (Enum, OcpiEnum)
    }


OURS = enums_of(enums, location_enums)
LIBRARYS = enums_of(
    core,
    cdrs,
    chargingprofiles,
    commands,
    hubclientinfo,
    locations,
    sessions,
    tariffs,
    tokens,
    versions,
)


@pytest.mark.parametrize("name", OURS)
def test_members_are_the_librarys_in_value_and_order(name: str) -> None:
    library = LIBRARYS[LIBRARYS_NAMES.get(name, name)]
    assert [str(member.value) for member in OURS[name]] == [member.value for member in library]


def test_the_library_has_no_enum_more_but_those_that_are_no_field_of_an_object() -> None:
    beyond = set(LIBRARYS) - {LIBRARYS_NAMES.get(name, name) for name in OURS}
    assert beyond == {"ModuleID", "Action", "EnvironmentType"}


def test_a_member_is_its_text() -> None:
    assert enums.TokenType.RFID == "RFID" == tokens.TokenType.rfid
