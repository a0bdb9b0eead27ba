"""docs/configuration.md, made of the settings themselves: `make docs`.

What is special to a setting (what it is for, its unit, who reads it, whether it is a secret) stands
with the setting; here is only what is said of all of them, and how the page looks.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseSettings, SecretStr
from pydantic.fields import ModelField

from cpo_app.charge_point.settings import EngineSettings, MonitorSettings
from cpo_app.settings import GROUPS

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"

_INTRODUCTION = """\
# Configuration

Every variable, with its default. The servers and the command line read them from the environment
or from a file `.env` in the working directory; the charge point reads the environment alone. A
value that cannot be used is said in one line, and nothing starts. **Secret** ones are shown by no
page, log or answer: keep `.env` to yourself (`chmod 600`).

Read by: `serve` is the process of `cpo serve` (EV_Central, OCPI, console, API and all jobs),
`registry` that of `cpo registry`; `cpo up` starts both with what it was given itself. `commands`
are those that work on the store themselves; with `--server` a command reads the last table alone.

This page is made by `make docs` of the settings in `cpo_app/settings` and
`cpo_app/charge_point/settings.py`.
"""

_OF_COMMANDS = (
    (
        "CPO_SERVER",
        "the server at which commands do what they do, instead of `--server` "
        "([api.md](api.md#the-command-line-speaks-it))",
    ),
    ("CPO_API_KEY", "the key that is shown there. **Secret**"),
    ("CPO_EMSP_TOKEN", "the token of `cpo emsp`, instead of `--token -`. **Secret**"),
    (
        "CPO_OCPP_PASSWORD",
        "what simulated OCPP charge points show at `--url`, instead of `--password`. **Secret**",
    ),
    ("CPO_CHECK_TOKEN", "the token of `cpo check`, instead of `--token -`. **Secret**"),
    ("CPO_PEER_TOKEN", "the token of `cpo peers connect`, instead of `--token -`. **Secret**"),
    ("CPO_HUB_TOKEN", "the token of `cpo hub`, instead of `--token -`. **Secret**"),
    ("CPO_HEALTH_URL", "what the image's health check asks"),
    ("OCPI_TEST_DATA", "where tests look for real data that cannot be part of the repository"),
)


class Told(NamedTuple):
    """A setting as its users are told of it."""

    name: str
    default: str
    read_by: str
    meaning: str


def page() -> str:
    parts = [_INTRODUCTION]
    groups: tuple[type[BaseSettings], ...] = (*GROUPS, MonitorSettings, EngineSettings)
    for group in groups:
        title, _, introduction = inspect.cleandoc(group.__doc__ or "").partition("\n")
        rows = "\n".join(
            f"| `{one.name}` | {one.default} | {one.read_by} | {one.meaning} |"
            for one in told(group)
        )
        parts += [
            f"## {title.rstrip('.')}\n",
            *([introduction.strip() + "\n"] if introduction.strip() else []),
            f"| variable | default | read by | meaning |\n|---|---|---|---|\n{rows}\n",
        ]
    others = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in _OF_COMMANDS)
    return "\n".join([*parts, "## Others\n", f"| variable | meaning |\n|---|---|\n{others}\n"])


def told(group: type[BaseSettings]) -> Iterator[Told]:
    for field in group.__fields__.values():
        extra = field.field_info.extra
        secret = ". **Secret**" if extra["secret"] else ""
        yield Told(
            variable(field),
            extra["default_is"] or _default(field),
            f"`{extra['read_by'] or _reader(group)}`",
            f"{field.field_info.description}{_bounds(field)}{secret}",
        )


def _reader(group: type[BaseSettings]) -> str:
    reader: str = vars(group)["read_by"]
    return reader


def variable(field: ModelField) -> str:
    (name,) = field.field_info.extra["env_names"]
    return str(name).upper()


def _default(field: ModelField) -> str:
    value: object = field.default
    if isinstance(value, SecretStr):
        raise TypeError(f"{variable(field)} has a secret for a default")
    if value in (None, "", {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    unit = field.field_info.extra["unit"]
    return f"`{value}`" + (f" {unit}" if unit else "")


def _bounds(field: ModelField) -> str:
    """ " (from 1 to 300 s)", of what is more than "not negative"."""
    info, unit = field.field_info, field.field_info.extra["unit"]
    low, high = info.ge if info.ge else info.gt, info.le
    parts = [
        *([("more than " if info.gt else "from ") + _number(low)] if low else []),
        *(["to " + _number(high)] if high else []),
    ]
    return f" ({' '.join(parts)}{' ' + unit if unit else ''})" if parts else ""


def _number(value: float) -> str:
    return f"{value:g}" if value < 1e6 else f"{int(value)}"


def main() -> None:
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
