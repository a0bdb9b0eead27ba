"""Arrows point one way: cpo_app to crud and auth, those to domain, that to db_interface."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
ROOMS = (
    "ocpi",
    "central",
    "registry",
    "charge_point",
    "ocpp",
    "api",
    "console",
    "conformance",
    "demo_emsp",
    "doctor",
    "mock_hub",
    "notices",
    "open_data",
    "station_files",
    "events",
)
SHARED = (
    "add_routes",
    "late_route",
    "settings",
    "setting_values",
    "setting_fields",
    "notice_settings",
    "host_facts",
    "actions",
    "docs_page",
    "exposition",
    "server_presence",
    "observed_requests",
    "operator_guard",
    "http_errors",
    "bounded_body",
    "logs",
    "loop_lag",
    "log_ids",
    "log_ration",
    "front_door",
    "addresses",
    "kafka",
    "left_out",
    "ocpi_caller",
    "otlp",
    "outgoing",
    "links",
    "paging",
    "pinned_tls",
    "shares",
    "quick_imports",
    "unsafe_settings",
    "this_host",
)
"""Modules of cpo_app that any room may use: they know no room."""


@cache
def imports_of(folder: str) -> list[tuple[str, str]]:
    """(file, imported module) for every import in a folder."""
    return [
        (str(file.relative_to(REPOSITORY)), name)
        for file in sorted((REPOSITORY / folder).rglob("*.py"))
        for name in imported_by(file)
    ]


@cache
def imported_by(file: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
        elif isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
    return names


def importing(folder: str, *forbidden: str) -> list[tuple[str, str]]:
    return [
        (file, module)
        for file, module in imports_of(folder)
        if any(module == name or module.startswith(name + ".") for name in forbidden)
    ]


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("db_interface", ("cpo_app", "crud", "auth", "domain", "py_ocpi", "fastapi", "starlette")),
        ("domain", ("cpo_app", "crud", "auth", "fastapi", "starlette", "httpx", "uvicorn")),
        ("crud", ("cpo_app", "auth", "fastapi", "starlette", "httpx", "uvicorn")),
        ("auth", ("cpo_app", "crud", "fastapi", "starlette", "httpx", "uvicorn")),
    ],
)
def test_arrows_point_one_way(folder: str, forbidden: tuple[str, ...]) -> None:
    assert importing(folder, *forbidden) == []


def test_the_driver_is_imported_in_one_room() -> None:
    driver = ("motor", "pymongo", "bson")
    for folder in ("cpo_app", "crud", "auth", "domain"):
        assert importing(folder, *driver) == []


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_meet_in_the_store_and_not_in_each_other(room: str) -> None:
    others = tuple(f"cpo_app.{other}" for other in ROOMS if other != room)
    assert importing(f"cpo_app/{room}", *others) == []
    own = [
        (file, module)
        for file, module in imports_of(f"cpo_app/{room}")
        if module.startswith("cpo_app.") and module.split(".")[1] not in (room, *SHARED)
    ]
    assert own == []


PACKAGES = ("cpo_app", "crud", "auth", "domain")


def reached_into(file: Path) -> list[int]:
    """Lines with `db[...]`, `self._db[...]`, `store.db[...]`."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Subscript)
        and getattr(node.value, "attr", getattr(node.value, "id", "")) in ("db", "_db", "database")
    ]


def collections_of(file: Path) -> Iterator[str]:
    """Names of the collections that the file declares: `Collection("name")`."""
    for node in ast.walk(ast.parse(file.read_text())):
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", "") == "Collection"
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value)


def test_a_database_is_reached_through_collections_only() -> None:
    found = {
        str(file.relative_to(REPOSITORY))
        for package in PACKAGES
        for file in (REPOSITORY / package).rglob("*.py")
        if reached_into(file)
    }
    assert found == set()


def test_each_collection_has_one_owner() -> None:
    owners: dict[str, list[str]] = {}
    for package in (*PACKAGES, "db_interface"):
        for file in sorted((REPOSITORY / package).rglob("*.py")):
            for name in collections_of(file):
                owners.setdefault(name, []).append(str(file.relative_to(REPOSITORY)))
    assert {name: files for name, files in owners.items() if len(files) > 1} == {}


@pytest.mark.parametrize("module", SHARED)
def test_what_all_rooms_share_knows_no_room(module: str) -> None:
    place = REPOSITORY / "cpo_app" / module
    files = place.glob("*.py") if place.is_dir() else [place.with_suffix(".py")]
    imported = {
        ".".join(name.split(".")[:2])
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
        if name.split(".")[0] == "cpo_app"
    }
    assert imported <= {f"cpo_app.{shared}" for shared in SHARED}


def test_the_command_line_starts_services_and_reaches_into_none() -> None:
    inside = ("central", "console", "ocpi.server", "ocpi.push", "ocpi.peer_client")
    assert importing("cpo_app/cli", *(f"cpo_app.{room}" for room in inside)) == []


def test_nothing_needs_the_command_line() -> None:
    found = [(file, name) for file, name in importing("cpo_app", "cpo_app.cli")]
    assert [file for file, _ in found if not file.startswith("cpo_app/cli/")] == []


def test_operator_pages_alone_know_the_rooms_that_they_put_together() -> None:
    found = importing("cpo_app/operator", *(f"cpo_app.{room}" for room in ROOMS))
    assert {file for file, _ in found} <= {"cpo_app/operator/pages.py"}


MAX_ANY = 299
"""`Any` says nothing to the type checker: the number may fall, and never grow past this."""


def test_any_stays_rare() -> None:
    number = sum(
        len(re.findall(r"\bAny\b", file.read_text()))
        for package in (*PACKAGES, "db_interface")
        for file in (REPOSITORY / package).rglob("*.py")
    )
    assert number <= MAX_ANY


HOST_CLOCK_READERS = {
    "cpo_app/cli/ocpp_certificates.py": "a CA is made on this host, without a store",
    "db_interface/clocks.py": "where there is no database",
    "domain/times.py": "defines utc_now",
    "auth/failure_counters.py": "a library wants times of this host's clock, and gives them back",
    "auth/throttle.py": "the same library's",
    "cpo_app/doctor/store.py": "measures how far it is off",
    "cpo_app/cli/doctor.py": "shows how long certificates are good for",
    "cpo_app/http_errors.py": "the timestamp of an answer",
    "cpo_app/ocpi/server/envelope.py": "the timestamp of an answer",
    "cpo_app/ocpi/peer_client/peer_answer.py": "a date in Retry-After",
    "cpo_app/registry/context.py": "until the database has answered",
    "cpo_app/console/console.py": "what a page shows",
    "cpo_app/console/rendering.py": "what a page shows",
}
"""Who may look at this host's wall clock: never to decide anything that others see."""
_OTHER_HOSTS = (
    "cpo_app/charge_point",
    "cpo_app/mock_hub",
    "cpo_app/conformance",
    "cpo_app/demo_emsp",
    "cpo_app/cli/emsp.py",
)


def test_a_hosts_wall_clock_decides_nothing() -> None:
    reads = re.compile(r"datetime\.(now|utcnow)\(|\btime\.time\(\)|\butc_now\b")
    found = {
        str(path.relative_to(REPOSITORY))
        for package in ("db_interface", "domain", "auth", "crud", "cpo_app")
        for path in (REPOSITORY / package).rglob("*.py")
        if reads.search(path.read_text())
    }
    found = {name for name in found if not name.startswith(_OTHER_HOSTS)}
    assert found == set(HOST_CLOCK_READERS)
