"""docker-compose.yml keeps what docs/security.md promises of it, and fits the product: its
settings exist and are taken, its commands are ours, its health checks are answered.

There is no container engine here: what can be known without one is. Each command is started with
the variables of its container, and asked by its health check.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
import subprocess
import sys
import time
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from cpo_app.addresses.networks import Networks
from cpo_app.charge_point.settings import EngineSettings, MonitorSettings
from cpo_app.cli.app import Commands
from cpo_app.settings import Settings
from domain.places import geonames
from tests.conftest import Loop
from tests.cpo_app.registry.pki import self_signed
from tests.cpo_app.registry.serving import serving, settings_with, until_ready
from tests.serving import free_port
from tests.settings_of import settings_of

REPOSITORY = Path(__file__).parents[1]
PAGE = (REPOSITORY / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(PAGE)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OTHERS = ("mongo", "proxy", "kafka")
CPO = sorted(name for name in SERVICES if name not in OTHERS)
SERVERS = ("ev-central", "ev-registry", "ev-ocpp")
ENGINES = [name for name in CPO if name.startswith("ev-cp-e-")]
MONITORS = [name for name in CPO if name.startswith("ev-cp-m-")]
KEYS = {
    "build",
    "cap_drop",
    "command",
    "depends_on",
    "entrypoint",
    "env_file",
    "environment",
    "healthcheck",
    "hostname",
    "image",
    "networks",
    "ports",
    "profiles",
    "read_only",
    "restart",
    "security_opt",
    "tmpfs",
    "volumes",
}
"""Of the Compose specification, those that we use: a slip of the pen is none of them."""
# Of the image, not a setting of ours; and what keeps MongoDB's own password from our servers.
NO_SETTINGS = {"CPO_HEALTH_URL", "MONGO_ROOT_PASSWORD"}


def service(name: str) -> str:
    """The text of one service."""
    found = re.search(rf"^  {name}:\n(.*?)(?=^  \S|^\S|\Z)", PAGE, re.M | re.S)
    assert found is not None, name
    return found[1]


def environment(name: str) -> dict[str, str]:
    """A service's variables, with what compose puts in: the defaults, and a secret for each that
    is demanded."""

    def value_of(match: re.Match[str]) -> str:
        how, default = match[2] or "", match[3] or ""
        return default if how == ":-" else "s" * 64

    pattern = r"\$\{([A-Z0-9_]+)(?:(:-|:\?)([^}]*))?\}"
    return {
        key: re.sub(pattern, value_of, str(value))
        for key, value in SERVICES[name]["environment"].items()
    }


def test_no_charge_point_holds_the_operators_key() -> None:
    assert "REGISTRY_API_KEY" not in PAGE.replace("REGISTRY_ADMIN_API_KEY", "")
    for name in (*ENGINES, *MONITORS):
        text = service(name)
        assert "ADMIN" not in text and "env_file" not in text and "*store" not in text
    assert "CP_MONITOR_ENROLMENT_TOKEN" in service("ev-cp-m-1")


def test_no_charge_point_reaches_the_store() -> None:
    assert SERVICES["mongo"]["networks"] == ["store-network"]
    assert COMPOSE["networks"]["store-network"] == {"internal": True}
    for name in (*ENGINES, *MONITORS):
        assert SERVICES[name]["networks"] == ["evcharging-network"]
        assert "env_file" not in SERVICES[name]
    assert "keyFile" in service("mongo") and 'role: "readWrite", db: "cpo"' in service("mongo")
    assert 'MONGO_ROOT_PASSWORD: ""' in PAGE, "env_file must not hand it to the servers"
    assert "mongodb://cpo:${MONGO_PASSWORD:?" in PAGE


def test_ports_are_this_hosts_alone_and_secrets_are_demanded() -> None:
    # But for the proxy, which is there to be reached.
    ports = [port for name in CPO for port in SERVICES[name].get("ports", ())]
    assert ports and all(port.startswith("${BIND:-127.0.0.1}:") for port in ports)
    for name in ("REGISTRY_SECRET_KEY", "REGISTRY_ADMIN_API_KEY", "CPO_ENCRYPTION_KEY"):
        assert f"{name}: ${{{name}:?" in PAGE


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\$\{([A-Z0-9_]+):\?", PAGE))))
def test_what_compose_demands_is_in_the_example(name: str) -> None:
    assert f"\n{name}=" in (REPOSITORY / ".env.example").read_text()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_says_what_compose_understands(name: str) -> None:
    said = SERVICES[name]
    assert set(said) <= KEYS
    assert set(said["networks"]) <= set(COMPOSE["networks"])
    named = {volume.split(":")[0] for volume in said["volumes"]} if "volumes" in said else set()
    files = {volume for volume in named if volume.startswith("./")}
    assert named - files <= set(COMPOSE["volumes"])
    assert all((REPOSITORY / file).is_file() for file in files)
    for other, how in said.get("depends_on", {}).items():
        # What a profile alone starts is waited for where it is started.
        of_a_profile = set(SERVICES[other].get("profiles", ())) - set(said.get("profiles", ()))
        optional = {"required": False} if of_a_profile else {}
        assert how == {"condition": "service_healthy", **optional}
        assert "test" in SERVICES[other].get("healthcheck", {}) or other == "ev-central", (
            f"{other} has no health check, so {name} would wait for ever"
        )


@pytest.mark.parametrize("name", CPO)
def test_a_container_may_do_nothing_but_its_work(name: str) -> None:
    said = SERVICES[name]
    assert (said["read_only"], said["cap_drop"]) == (True, ["ALL"])
    assert said["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", CPO)
def test_its_command_is_ours(name: str) -> None:
    (command,) = SERVICES[name]["command"]
    assert command in Commands.where


@pytest.mark.parametrize("name", [*SERVERS, "cli"])
def test_a_servers_variables_are_settings_and_are_taken(name: str) -> None:
    values = environment(name)
    assert set(values) - NO_SETTINGS <= set(Settings.__fields__)
    settings_of(**{key: value for key, value in values.items() if key not in NO_SETTINGS})


@pytest.mark.parametrize("name", [*ENGINES, *MONITORS])
def test_a_charge_points_variables_are_settings_and_are_taken(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = EngineSettings if name in ENGINES else MonitorSettings
    names = {
        variable.upper()
        for field in model.__fields__.values()
        for variable in field.field_info.extra["env_names"]
    }
    values = environment(name)
    assert set(values) <= names
    for key, value in values.items():
        monkeypatch.setenv(key, value)
    assert model().cp_id == values[next(key for key in values if key.endswith("_CP_ID"))]


def test_a_monitor_finds_its_engine_and_its_servers() -> None:
    for name in MONITORS:
        values = environment(name)
        engine = environment(values["CP_MONITOR_CP_E_HOST"])
        assert engine["CP_ENGINE_CP_ID"] == values["CP_MONITOR_CP_ID"]
        assert engine["CP_ENGINE_HEALTH_PORT"] == values["CP_MONITOR_CP_E_PORT"]
        central = environment(values["CP_MONITOR_CENTRAL_HOST"])
        assert central["CENTRAL_PORT"] == values["CP_MONITOR_CENTRAL_PORT"]
        registry = environment("ev-registry")
        assert values["CP_MONITOR_REGISTRY_URL"].endswith(
            f"ev-registry:{registry['REGISTRY_API_PORT']}"
        )


def test_two_charge_points_are_started_and_ten_on_demand() -> None:
    plain = [name for name in ENGINES if "profiles" not in SERVICES[name]]
    assert (len(plain), len(ENGINES)) == (2, 10)
    for engine, monitor in zip(ENGINES, MONITORS, strict=True):
        assert environment(monitor)["CP_MONITOR_CP_E_HOST"] == engine
        both = SERVICES[engine], SERVICES[monitor]
        assert {tuple(said.get("profiles", ())) for said in both} == {
            () if engine in plain else ("ten",)
        }
    ids = [environment(name)["CP_ENGINE_CP_ID"] for name in ENGINES]
    assert len(set(ids)) == len(ids)


def test_kafka_is_the_servers_alone_and_is_where_they_look_for_it() -> None:
    kafka = SERVICES["kafka"]
    assert (kafka["profiles"], kafka["networks"]) == (["kafka"], ["store-network"])
    brokers = f"{kafka['environment']['KAFKA_ADVERTISED_LISTENERS'].removeprefix('PLAINTEXT://')}"
    assert settings_of(CPO_KAFKA_BROKERS=brokers).CPO_KAFKA_BROKERS == "kafka:9092"
    for page in (".env.example", "docs/operations.md", "docs/events.md"):
        assert f"CPO_KAFKA_BROKERS={brokers}" in (REPOSITORY / page).read_text()
    port = brokers.partition(":")[2]
    assert kafka["healthcheck"]["test"][-1] == f"localhost:{port}"
    assert kafka["volumes"] == [f"kafka-data:{kafka['environment']['KAFKA_LOG_DIRS']}"]


def test_the_registrys_health_check_is_answered_with_tls(
    loop: Loop, store_url: str, tmp_path: Path
) -> None:
    *_, code = SERVICES["ev-registry"]["healthcheck"]["test"]
    pair = self_signed("localhost")
    (tmp_path / "cert.pem").write_text(pair.certificate_pem)
    (tmp_path / "key.pem").write_text(pair.key_pem)
    changed: dict[str, Any] = {
        "REGISTRY_TLS_ENABLED": True,
        "REGISTRY_TLS_CERT_FILE": str(tmp_path / "cert.pem"),
        "REGISTRY_TLS_KEY_FILE": str(tmp_path / "key.pem"),
    }

    async def story() -> int | None:
        async with serving(settings_with(CPO_MONGO_URL=store_url, **changed)) as address:
            here = code.replace("127.0.0.1:8080", address)
            assert here != code
            trust = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
            trust.check_hostname = False  # it asks by an address that no certificate names
            async with httpx.AsyncClient(base_url=f"https://{address}", verify=trust) as client:
                await until_ready(client)
            return await _exit_code(here, {"REGISTRY_TLS_ENABLED": "true"})

    assert loop.run(story(), 60) == 0


DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
IN_THE_IMAGE = dict(re.findall(r"([A-Z_]+)=(\S+)", DOCKERFILE.split("\nFROM ")[-1]))
PORT_OF = {
    "ev-central": "CENTRAL_PORT",
    "ev-registry": "REGISTRY_API_PORT",
    "ev-ocpp": "CPO_OCPP_PORT",
    "ev-cp-e-1": "CP_ENGINE_HEALTH_PORT",
}


def health_check(name: str) -> str:
    """The Python that it runs: the service's own, or the image's."""
    if "healthcheck" in SERVICES[name]:
        *_, code = SERVICES[name]["healthcheck"]["test"]
        return str(code)
    *_, code = json.loads(re.findall(r"^    CMD (\[.*\])$", DOCKERFILE, re.M)[0])
    return str(code)


@pytest.mark.processes
@pytest.mark.timeout(200)
@pytest.mark.parametrize("name", sorted(PORT_OF))
def test_a_health_check_is_answered_by_the_command_that_is_started(
    name: str, store_url: str, tmp_path: Path
) -> None:
    """As in its container, but for what belongs to this test: the port, the folders, the store."""
    (command,) = SERVICES[name]["command"]
    port, here = environment(name)[PORT_OF[name]], str(free_port())
    assert f":{port}:{port}" in str(SERVICES[name].get("ports", f":{port}:{port}"))
    variables = {**IN_THE_IMAGE, **environment(name), PORT_OF[name]: here}
    variables["CPO_HEALTH_URL"] = variables["CPO_HEALTH_URL"].replace(f":{port}/", f":{here}/")
    for folder in ("CP_STATE_DIR", "CPO_DATA_DIR"):
        variables[folder] = str(tmp_path / folder)
    if "CPO_MONGO_URL" in variables:
        variables["CPO_MONGO_URL"] = store_url
    variables = {**variables, "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    code = health_check(name).replace(f":{port}/", f":{here}/").replace(f", {port})", f", {here})")
    argv = [sys.executable, "-m", "cpo_app.cli", command]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(argv, env=variables, cwd=tmp_path, stderr=log, stdout=log)
    try:
        ends = time.monotonic() + 150
        while subprocess.run([sys.executable, "-c", code], env=variables, check=False).returncode:
            said = (tmp_path / "log").read_text()
            assert process.poll() is None, said
            assert time.monotonic() < ends, said
            time.sleep(0.7)
        if name in SERVERS:  # as the probes of deploy/kubernetes do, too
            for path in ("healthz", "readyz"):
                assert httpx.get(f"http://127.0.0.1:{here}/{path}").status_code == 200
    finally:
        process.terminate()
        process.wait(30)


def test_the_proxy_leads_to_servers_that_believe_it_alone() -> None:
    proxy = SERVICES["proxy"]
    address = proxy["networks"]["proxy-network"]["ipv4_address"]
    (range_,) = COMPOSE["networks"]["proxy-network"]["ipam"]["config"]
    assert ip_address(address) in ip_network(range_["subnet"])
    assert ip_address(address) not in ip_network(range_["ip_range"]), "nobody gets it by chance"
    caddyfile = (REPOSITORY / "deploy/caddy/Caddyfile").read_text()
    led_to = dict(re.findall(r"reverse_proxy ([a-z-]+):(\d+)", caddyfile))
    assert led_to == {name: environment(name)[PORT_OF[name]] for name in SERVERS}
    assert set(re.findall(r"\{\$(\w+)\}", caddyfile)) == set(proxy["environment"])
    for name in SERVERS:
        assert "proxy-network" in SERVICES[name]["networks"]
        assert environment(name)["CPO_TRUSTED_PROXIES"] == address
    plain = Networks.of(environment("ev-ocpp")["CPO_OCPP_PLAIN_NETWORKS"])
    assert address in plain, "stations come through it without TLS of their own"
    named = set(proxy["environment"]) & set(Settings.__fields__)
    assert named == {"OCPI_HOST"}, "of .env, which the servers read whole"


def test_the_command_line_runs_beside_the_servers() -> None:
    cli = SERVICES["cli"]
    assert cli["profiles"] == ["tools"], "nothing that `up` starts"
    assert cli["environment"] == SERVICES["ev-central"]["environment"]
    text = PAGE + (REPOSITORY / "docs/operations.md").read_text()
    commands = re.findall(r"docker compose run --rm cli ([a-z-]+)", text)
    assert commands and set(commands) <= set(Commands.where)


def test_nothing_that_installs_is_in_the_image() -> None:
    _, build, image = DOCKERFILE.split("\nFROM ")
    assert "pip" in build and "pip" not in image
    assert "RUN" in image and "COPY --from=build /opt/cpo /opt/cpo" in image
    copied = set(re.findall(r"^COPY (\w+) \w+$", build, re.M))
    packages = {file.parent.name for file in REPOSITORY.glob("*/__init__.py")}
    assert copied == packages - {"tests", "bench"}
    # What awk leaves out is there to be left out, and nothing else has a name like it.
    lock = (REPOSITORY / "requirements.lock").read_text()
    (left_out,) = re.findall(r"left_out = /\^([a-z0-9-]+)/", build)
    assert len(re.findall(rf"^{left_out}", lock, re.M)) == 1
    # The lists of places that we read are not among those that are left out.
    gone = set(re.findall(r"cities\d+\.json", build))
    assert gone and not gone & {geonames.CITIES, geonames.TOWNS}


def test_an_engines_health_check_asks_at_its_port() -> None:
    for name in ENGINES:
        port = environment(name)["CP_ENGINE_HEALTH_PORT"]
        assert f"('127.0.0.1', {port})" in SERVICES[name]["healthcheck"]["test"][-1]


async def _exit_code(code: str, variables: dict[str, str]) -> int | None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env={**os.environ, **variables}, stderr=asyncio.subprocess.PIPE
    )
    await process.communicate()
    return process.returncode
