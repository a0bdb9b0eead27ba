"""docs/configuration.md is what the settings say of themselves, and that is true and whole."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pydantic import BaseSettings, SecretStr
from pydantic.fields import ModelField

from cpo_app.charge_point.settings import EngineSettings, MonitorSettings
from cpo_app.configuration_page import PAGE, page, told, variable
from cpo_app.settings import GROUPS, Settings
from cpo_app.settings.showing import shown_settings
from domain.audit.redaction import REDACTED, shown
from tests.settings_of import settings_of

REPOSITORY = Path(__file__).parents[2]
ALL: tuple[type[BaseSettings], ...] = (*GROUPS, MonitorSettings, EngineSettings)
FIELDS = [(group, field) for group in ALL for field in group.__fields__.values()]
_NOT_READERS = ("cpo_app/settings/", "cpo_app/charge_point/settings.py")


def sources() -> Iterator[tuple[str, str]]:
    for file in sorted((REPOSITORY / "cpo_app").rglob("*.py")):
        name = str(file.relative_to(REPOSITORY))
        if not name.startswith(_NOT_READERS):
            yield name, file.read_text()


@cache
def named_by() -> dict[str, set[str]]:
    """The files that read each field, by itself or by a property that is made of it."""
    stated = ast.parse((REPOSITORY / "cpo_app/settings/all_settings.py").read_text())
    stated.body += ast.parse((REPOSITORY / "cpo_app/charge_point/settings.py").read_text()).body
    made_of = {
        function.name: {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
        for function in ast.walk(stated)
        if isinstance(function, ast.FunctionDef)
    }
    found: dict[str, set[str]] = {}
    for name, text in sources():
        read = {node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
        read |= {one for one in made_of if re.search(rf"\b{one}\b", text)}
        while more := set().union(*(made_of[one] for one in read & made_of.keys())) - read:
            read |= more
        for one in read | set(re.findall(r'"([A-Z][A-Z0-9_]+)"', text)):
            found.setdefault(one, set()).add(name)
    return found


def test_the_page_is_made_of_the_settings() -> None:
    assert PAGE.read_text() == page(), "make docs"


def test_every_group_of_the_servers_settings_is_on_it() -> None:
    grouped = [name for group in GROUPS for name in group.__fields__]
    assert sorted(grouped) == sorted(Settings.__fields__)


def test_every_variable_that_is_read_elsewhere_is_on_it() -> None:
    named = set(re.findall(r"^\| `([A-Z0-9_]+)` ", PAGE.read_text(), re.M))
    read = {
        name
        for _, text in sources()
        for name in re.findall(
            r'(?:envvar=|environ\.get\(|environ\[)"((?:CPO|CP|CENTRAL|REGISTRY|OCPI)_[A-Z_]+)"',
            text,
        )
    }
    assert read >= {"CPO_SERVER", "CPO_CHECK_TOKEN"}
    assert read - named == set()


def test_each_says_what_it_is_for_and_is_read() -> None:
    for _, field in FIELDS:
        assert len(field.field_info.description or "") > 5, field.name
        assert named_by().get(field.name), f"nobody reads {field.name}"


def test_who_is_said_to_read_it_does() -> None:
    for group, field in FIELDS:
        check_readers(group, field)


def check_readers(group: type[BaseSettings], field: ModelField) -> None:
    (readers,) = [one.read_by for one in told(group) if one.name == variable(field)]
    files = named_by()[field.name]
    if readers in ("`monitor`", "`engine`"):
        assert any(name.startswith(("cpo_app/charge_point/", "cpo_app/cli/")) for name in files)
        return
    in_registry = any(name.startswith("cpo_app/registry/") for name in files)
    if in_registry:
        assert "registry" in readers or "all" in readers
    if readers == "`registry`":
        shared = ("cpo_app/front_door/", "cpo_app/cli/", "cpo_app/unsafe_settings.py")
        assert in_registry or any(name.startswith(shared) for name in files)
    if readers == "`commands`":
        assert any(name.startswith("cpo_app/cli/") for name in files)


def test_a_unit_stands_where_the_name_has_one() -> None:
    units = {"_S": "s", "_DAYS": "days", "_HOURS": "hours", "_BYTES": "bytes"}
    for _, field in FIELDS:
        for ending, unit in units.items():
            if variable(field).endswith(ending):
                assert field.field_info.extra["unit"] == unit, field.name


def test_what_is_secret_is_marked_so() -> None:
    """By its type, or by its name as the audit log judges names."""
    numbers = (int, float, bool)
    for _, field in FIELDS:
        secret = field.field_info.extra["secret"]
        by_name = field.outer_type_ is str and shown("value", field.name) == REDACTED
        by_type = field.type_ is SecretStr
        assert not (isinstance(field.default, numbers) and secret), field.name
        assert secret or not (by_name or by_type), field.name


def test_no_secret_is_shown() -> None:
    secrets = [
        name for name, field in Settings.__fields__.items() if field.field_info.extra["secret"]
    ]
    given = {name: f"hidden-{name}-{'x' * 32}" for name in secrets}
    given |= {
        "CPO_MONGO_URL": "mongodb://me:hidden-password@db.example:27017/cpo?replicaSet=hidden",
        "CPO_WEBHOOKS": f"https://ops.example/hook hidden-{'x' * 32}",
        "CPO_SMTP_URL": "smtps://me:hidden-password@mail.example:465",
        "CPO_MAIL_FROM": "a@b.example",
        "CPO_MAIL_TO": "c@d.example",
        "CPO_OTLP_HEADERS": "authorization=hidden",
        "CPO_KAFKA_USERNAME": "me",
        "CPO_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    }
    answer = shown_settings(settings_of(**given))
    assert "hidden" not in str(answer)
    assert answer["CPO_SMTP_URL"] == "smtps://mail.example:465"
    assert {answer[name] for name in secrets if not name.endswith("_URL")} == {REDACTED}
    assert shown_settings(settings_of())["CPO_MAX_TOKENS_PER_PEER"] == 1_000_000
