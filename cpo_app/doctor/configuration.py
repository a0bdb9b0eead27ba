"""The settings: what is missing, contradictory, or unwise in production. No I/O but TLS files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cpo_app.doctor.findings import Finding, fail, ok, warn
from cpo_app.host_facts import certificate_end
from cpo_app.settings import Settings
from cpo_app.unsafe_settings import Unsafe, unsafe_settings
from domain.notices.certificates import RENEW_WITHIN
from domain.secrets import MIN_KEY_LENGTH

_THIS_HOST = ("127.0.0.1", "localhost", "::1")
_SHUT_OUT = {
    "REGISTRY": "no charge point can register",
    "CENTRAL": "neither peers nor charge points are heard",
}
_MAKE_ONE = "make one with: openssl rand -hex 32"


def check_configuration(settings: Settings, *, embedded: bool, now: datetime) -> Iterator[Finding]:
    """`settings` with everything filled in; `embedded`: on a database of our own."""
    unsafe = {found.name: found for found in unsafe_settings(settings)}
    yield from _secrets(settings)
    yield _password(settings, embedded, unsafe.get("CPO_ADMIN_PASSWORD"))
    yield _parties(settings)
    yield _address(settings, embedded, unsafe.get("PROTOCOL"))
    yield _private_urls(settings, embedded)
    yield _registry(settings, embedded, unsafe.get("REGISTRY_ADMIN_API_KEY"))
    if settings.REGISTRY_TLS_ENABLED:
        yield _certificate("REGISTRY", settings, now)
    if settings.CENTRAL_TLS_ENABLED:
        yield _certificate("CENTRAL", settings, now)
    if settings.NO_AUTH:
        yield fail(
            "NO_AUTH", "is set: the servers refuse to run without authentication", "unset it"
        )
    if not settings.CENTRAL_REQUIRE_CP_TOKEN:
        yield warn(
            "CENTRAL_REQUIRE_CP_TOKEN",
            "is false: whoever reaches EV_Central may speak for any charge point",
            "set it to true",
        )
    if not settings.CPO_PUSH:
        yield warn("CPO_PUSH", "is off: no peer hears of changes", "set CPO_PUSH=true")


def _secrets(settings: Settings) -> Iterator[Finding]:
    for name, value in (
        ("CPO_ENCRYPTION_KEY", min(settings.encryption_keys, key=len, default="")),
        ("REGISTRY_SECRET_KEY", min(settings.central_secrets, key=len, default="")),
    ):
        if not value:
            yield fail(name, "is not set", _MAKE_ONE)
        elif len(value.encode()) < MIN_KEY_LENGTH:
            yield fail(name, f"is shorter than {MIN_KEY_LENGTH} bytes", _MAKE_ONE)
        elif len(set(value)) < 8:
            yield warn(name, "looks easy to guess", _MAKE_ONE)
        else:
            yield ok(name, "is long enough")
    central, registry = settings.CENTRAL_REGISTRY_SECRET_KEY, settings.registry_secrets
    if central and registry and central not in registry:
        yield warn(
            "CENTRAL_REGISTRY_SECRET_KEY",
            "differs from REGISTRY_SECRET_KEY: EV_Central refuses this registry's tokens",
            "use the same key for both, unless they are of different installations",
        )


def _password(settings: Settings, embedded: bool, unsafe: Unsafe | None) -> Finding:
    name = "CPO_ADMIN_PASSWORD"
    if unsafe is not None:
        return fail(name, unsafe.said, unsafe.do)
    if not settings.CPO_ADMIN_PASSWORD:
        if embedded:
            return ok(name, "is made at the first start (admin.password in the data directory)")
        return warn(
            name,
            "is not set: only people (cpo operators) and keys (cpo keys) of the store get in",
            "set it, unless there are some",
        )
    return ok(name, "is set")


def _parties(settings: Settings) -> Finding:
    parties = settings.parties
    names = ", ".join(f"{party.country_code}/{party.party_id}" for party in parties)
    if (parties[0].country_code, parties[0].party_id) == ("DE", "CPO"):
        return warn(
            "parties",
            f"{names} is the default and nobody's id",
            "set COUNTRY_CODE and PARTY_ID (or CPO_PARTIES) to your own before you meet real peers",
        )
    return ok("parties", names)


def _address(settings: Settings, embedded: bool, unsafe: Unsafe | None) -> Finding:
    if unsafe is not None:
        return fail(unsafe.name, unsafe.said, unsafe.do)
    told = f"peers are told {settings.versions_url}"
    if urlsplit(settings.base_url).hostname in _THIS_HOST:
        said = f"{told}, which only this host can reach"
        if embedded:
            return ok("OCPI_HOST", f"{said}: fine for a try")
        return warn("OCPI_HOST", said, "set OCPI_HOST to the public host name")
    if settings.PROTOCOL != "https":
        return warn(
            "PROTOCOL",
            f"{told}: tokens cross the network in the clear",
            "put a TLS proxy in front and set PROTOCOL=https",
        )
    return ok("OCPI_HOST", told)


def _private_urls(settings: Settings, embedded: bool) -> Finding:
    name = "CPO_ALLOW_PRIVATE_URLS"
    if settings.CPO_ALLOW_PRIVATE_URLS and not embedded:
        return warn(name, "is on: a peer may make us call hosts of the inner network", "unset it")
    return ok(name, "is on (development)" if settings.CPO_ALLOW_PRIVATE_URLS else "is off")


def _registry(settings: Settings, embedded: bool, unsafe: Unsafe | None) -> Finding:
    name, key = "REGISTRY_ADMIN_API_KEY", settings.REGISTRY_ADMIN_API_KEY
    if unsafe is not None:
        return fail(name, unsafe.said, unsafe.do)
    if not key and not embedded:
        return warn(name, "is not set: anybody who reaches EV_Registry may register", _MAKE_ONE)
    return ok(name, "is set" if key else "is not set: fine on embedded defaults")


def _certificate(whose: str, settings: Settings, now: datetime) -> Finding:
    """`whose`: REGISTRY or CENTRAL."""
    name = f"{whose}_TLS_CERT_FILE"
    path = getattr(settings, name)
    for variable in (name, f"{whose}_TLS_KEY_FILE"):
        if not Path(getattr(settings, variable)).is_file():
            off = f"{whose}_TLS_ENABLED=false"
            return fail(variable, "names no file", f"name the PEM file, or set {off}")
    try:
        ends = certificate_end(path)
    except ValueError:
        return fail(name, "is no certificate in PEM", "name a PEM file")
    if ends < now:
        return fail(name, f"ended on {ends:%Y-%m-%d}", f"renew it: {_SHUT_OUT[whose]}")
    if ends - now < RENEW_WITHIN:
        return warn(name, f"ends on {ends:%Y-%m-%d}", "renew it")
    return ok(name, f"is good until {ends:%Y-%m-%d}")
