"""The servers that run on the store, as they say of themselves there (domain/running_servers.py):
who they are, what they were started with, and where that differs from what stands here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from cpo_app.doctor.findings import Finding, fail, ok, warn
from cpo_app.server_presence import CENTRAL, GATEWAY, REGISTRY, shared_keys
from cpo_app.settings import Settings
from cpo_app.settings.all_settings import GROUPS
from cpo_app.settings.ocpp import OcppSettings
from cpo_app.settings.registry import RegistrySettings
from domain.running_servers import SILENT_AFTER, RunningServer

MAX_AHEAD_S = 2.0
SET_THERE = "(as the running server has it)"
_OF_THIS_PLACE = ("CPO_DATA_DIR", "CPO_EMBEDDED", "CPO_MONGO_URL")
_HIDDEN = ("CPO_ADMIN_PASSWORD", "REGISTRY_ADMIN_API_KEY")
"""Secrets of which it only counts here whether there is one."""


def as_running(settings: Settings, servers: Sequence[RunningServer], now: datetime) -> Settings:
    """The settings with what the running servers were started with, where nothing is said here."""
    changes: dict[str, object] = {}
    for name, (server, value) in _started_with(servers, now).items():
        if name in settings.__fields_set__:
            continue
        if name in _HIDDEN:
            if value and not getattr(settings, name):
                changes[name] = SET_THERE
        elif not _is_secret(name) and server["settings"].get(name) is not None:
            changes[name] = value
    return settings.copy(update=changes)


def check_running(
    settings: Settings, servers: Sequence[RunningServer], now: datetime
) -> Iterator[Finding]:
    """`settings` as they stand here, `now` by the database's clock."""
    for server in servers:
        yield from _server(server, now)
    alive = [server for server in servers if _lives(server, now)]
    yield from _differing(settings, servers, now)
    yield from _keys(settings, alive)
    versions = {server["version"] for server in alive}
    if len(versions) > 1:
        said = f"servers of several versions run: {', '.join(sorted(versions))}"
        yield warn("versions", said, "replace those of the older version, one by one")


def living(servers: Sequence[RunningServer], now: datetime) -> dict[str, str]:
    """{name: where it runs}; of several of a kind the last."""
    return {server["name"]: server["_id"] for server in servers if _lives(server, now)}


def _server(server: RunningServer, now: datetime) -> Iterator[Finding]:
    since = f"{server['started']:%Y-%m-%d %H:%M} UTC"
    if not _lives(server, now):
        said = f"has not been heard of since {server['heard']:%Y-%m-%d %H:%M} UTC"
        do = "start it again; one that is not meant to come back is forgotten within a day"
        yield warn(server["_id"], said, do)
        return
    yield ok(server["_id"], f"runs since {since}, version {server['version']}")
    ahead_s = server["host_ahead_s"]
    if abs(ahead_s) > MAX_AHEAD_S:
        which = "ahead of" if ahead_s > 0 else "behind"
        said = f"its clock is {abs(ahead_s):.1f} s {which} the database's"
        yield warn(f"clock of {server['host']}", said, "run NTP (chrony) there")


def _differing(
    settings: Settings, servers: Sequence[RunningServer], now: datetime
) -> Iterator[Finding]:
    for name, (server, value) in sorted(_started_with(servers, now).items()):
        if name not in settings.__fields_set__ or _is_secret(name):
            continue
        here = getattr(settings, name)
        if here != value and str(here) != str(value):
            said = f"is {here!r} here, and {server['_id']} was started with {value!r}"
            yield warn(name, said, "start the server again to take what stands here, or correct it")


def _keys(settings: Settings, alive: Sequence[RunningServer]) -> Iterator[Finding]:
    """All have to have the same: what one seals or signs another has to open or check."""
    here = {name: key for name, key in shared_keys(settings).items() if key}
    for name in shared_keys(settings):
        found = {server["_id"]: server["keys"].get(name, "") for server in alive}
        if name in here and alive:
            found["this terminal"] = here[name]
        if len(set(found.values())) > 1:
            groups: dict[str, list[str]] = {}
            for who, key in found.items():
                groups.setdefault(key, []).append(who)
            said = "; ".join(
                f"{', '.join(who)}: {f'key {key}' if key else 'none'}"
                for key, who in groups.items()
            )
            yield fail(
                f"{name} of all", f"differs: {said}", "give all of them the same, and start again"
            )


def _started_with(
    servers: Sequence[RunningServer], now: datetime
) -> Mapping[str, tuple[RunningServer, object]]:
    """{setting: (whose, value)}, of a living server that reads it."""
    found: dict[str, tuple[RunningServer, object]] = {}
    for group in GROUPS:
        whose = {RegistrySettings: REGISTRY, OcppSettings: GATEWAY}.get(group, CENTRAL)
        by = [s for s in servers if s["name"] == whose and _lives(s, now)]
        for name in vars(group)["__annotations__"]:
            if by and name in by[0]["settings"] and name not in _OF_THIS_PLACE:
                found[name] = (by[0], by[0]["settings"][name])
    return found


def _is_secret(name: str) -> bool:
    return bool(Settings.__fields__[name].field_info.extra["secret"])


def _lives(server: RunningServer, now: datetime) -> bool:
    return now - server["heard"] < SILENT_AFTER
