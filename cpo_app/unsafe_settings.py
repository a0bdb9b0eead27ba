"""Settings that can be read and must not be run with: each in one line, with what to do.

Servers and commands refuse them before anything starts; the doctor lists them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cpo_app.addresses.host_names import is_public, name_in
from cpo_app.settings import Settings, SettingsError

MIN_PASSWORD_LENGTH = 12
MIN_API_KEY_LENGTH = 16


@dataclass(frozen=True)
class Unsafe:
    """`said` of the setting `name`, never its value; `do` mends it."""

    name: str
    said: str
    do: str

    def __str__(self) -> str:
        return f"{self.name} {self.said}; {self.do}"


def unsafe_settings(settings: Settings) -> Iterator[Unsafe]:
    """What is wrong with `settings`. Keys that seal and sign are looked at where they are made."""
    for name, secret, least in (
        ("CPO_ADMIN_PASSWORD", settings.CPO_ADMIN_PASSWORD, MIN_PASSWORD_LENGTH),
        ("REGISTRY_ADMIN_API_KEY", settings.REGISTRY_ADMIN_API_KEY, MIN_API_KEY_LENGTH),
    ):
        if secret and len(secret) < least:
            said = f"is shorter than {least} characters"
            yield Unsafe(name, said, "make one with: openssl rand -hex 32")
    host = name_in(settings.ocpi_host)
    if settings.PROTOCOL != "https" and is_public(host) and not settings.CPO_ALLOW_PLAIN_HTTP:
        yield Unsafe(
            "PROTOCOL",
            f"is http, and OCPI_HOST ({host}) is public: tokens would cross the internet in the "
            "clear",
            "put a TLS proxy in front and set PROTOCOL=https (development: "
            "CPO_ALLOW_PLAIN_HTTP=true)",
        )


def refuse_unsafe(settings: Settings) -> None:
    """Return if nothing is wrong; raises SettingsError with the first thing that is."""
    for unsafe in unsafe_settings(settings):
        raise SettingsError(str(unsafe))
