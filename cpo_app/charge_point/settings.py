"""Settings of the charge point, read from CP_MONITOR_*, CP_ENGINE_* and CP_STATE_DIR.

Must never be printed with its secrets: those are SecretStr.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseSettings, SecretStr, validator

from cpo_app.setting_fields import Reader, setting
from cpo_app.setting_values import check_log_level
from db_interface.json_data import JsonObject

CP_ID_PATTERN = r"^[A-Za-z0-9_-]{3,64}$"
LINK_KEY_MIN_CHARS = 16

_METADATA_MAX_BYTES = 64 * 1024


def _check_link_key(key: SecretStr | None) -> SecretStr | None:
    if key is None or not key.get_secret_value():
        return None
    if len(key.get_secret_value()) < LINK_KEY_MIN_CHARS:
        raise ValueError(f"a link key needs at least {LINK_KEY_MIN_CHARS} characters")
    return key


def _check_key_file(key: Path | None, values: JsonObject) -> Path | None:
    if (key is None) != (values.get("tls_cert_file") is None):
        raise ValueError("TLS_CERT_FILE and TLS_KEY_FILE go together")
    return key


def certificate_files(settings: EngineSettings | MonitorSettings) -> tuple[str, str] | None:
    """Certificate and key, as httpx takes them; None: no client certificate."""
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    return str(settings.tls_cert_file), str(settings.tls_key_file)


class EngineSettings(BaseSettings):
    """Engine (EV_CP_E)"""

    read_by: ClassVar[Reader] = "engine"

    cp_id: str = setting(
        "CP-001",
        "its monitor's",
        regex=CP_ID_PATTERN,
    )
    host: str = setting(
        "0.0.0.0",  # noqa: S104 (Central, on another host as a rule, must reach it)
        "the address to listen on",
    )
    health_port: int = setting(
        8001,
        "the port to listen on",
        ge=0,
        le=65535,
    )
    telemetry_interval: float = setting(
        1.0,
        "the time between meter values",
        unit="s",
        gt=0,
        le=3600,
    )
    kw_rate: float = setting(
        22.0,
        "its power",
        unit="kW",
        gt=0,
        le=1000,
    )
    log_level: str = setting(
        "INFO",
        "as `CPO_LOG_LEVEL`",
    )
    log_format: Literal["text", "json"] = setting(
        "text",
        "as the servers'",
        env="CPO_LOG_FORMAT",
    )
    link_key: SecretStr | None = setting(
        None,
        "shared with the monitor",
        secret=True,
        default_is="a file in `CP_STATE_DIR`",
    )
    ca_file: Path | None = setting(
        None,
        "a private CA",
    )
    tls_cert_file: Path | None = setting(
        None,
        "the charge point's client certificate, the same as its monitor's; its engine then "
        "serves with it, too",
    )
    tls_key_file: Path | None = setting(
        None,
        "that certificate's key",
    )
    tls: bool | None = setting(
        None,
        "serve https, with a certificate of its own",
        default_is="`true` unless `CP_ENGINE_HOST` is this host alone",
    )
    state_dir: Path = setting(
        Path("~/.cpo-charge-point"),
        "credentials, link key, the engine's journal",
        env="CP_STATE_DIR",
    )

    connector_id: str = setting(
        "1",
        "what its connector is called",
        min_length=1,
        max_length=36,
    )
    power_type: Literal["AC", "DC"] = setting(
        "AC",
        "`AC` or `DC`",
    )
    phases: int = setting(
        3,
        "how many, where it is AC",
        ge=1,
        le=3,
    )
    sign_meter_values: bool = setting(
        False,
        "sign start and end values (OCMF, P-256) with a key of the engine's own: "
        "`meter-<cp_id>.key` in the state directory, its public half in `meter-<cp_id>.pub`",
    )
    voltage: float | None = setting(
        None,
        "phase to neutral for AC, at the plug for DC",
        unit="V",
        default_is="by type: 230 or 400",
        gt=0,
        le=1500,
    )

    simulation: bool = setting(
        False,
        "`POST /sim` from this host without the link key",
    )
    auto_plug: bool = setting(
        True,
        "a remote start finds a car",
    )
    auto_unplug_after: float = setting(
        3.0,
        "the car leaves so long after the stop",
        unit="s",
        ge=0,
    )
    plug_timeout: float = setting(
        60.0,
        "how long an authorised driver has to plug in",
        unit="s",
        gt=0,
    )
    stop_when_full: bool = setting(
        False,
        "end the session when the car is full",
    )
    speed: float = setting(
        1.0,
        "charge so many times faster (demonstrations)",
        gt=0,
        le=100_000,
    )
    car_kw: float | None = setting(
        None,
        "what the simulated car takes at most",
        unit="kW",
        default_is="unlimited",
        gt=0,
    )
    car_battery_kwh: float = setting(
        60.0,
        "the size of its battery",
        unit="kWh",
        gt=0,
    )
    car_soc: float = setting(
        20.0,
        "how full it comes",
        unit="%",
        ge=0,
        le=100,
    )

    _link_key = validator("link_key", allow_reuse=True)(_check_link_key)
    _key_file = validator("tls_key_file", always=True, allow_reuse=True)(_check_key_file)
    _log_level = validator("log_level", allow_reuse=True)(check_log_level)

    class Config:
        env_prefix = "CP_ENGINE_"

    @property
    def serves_tls(self) -> bool:
        if self.tls is not None:
            return self.tls
        return self.host not in ("127.0.0.1", "::1", "localhost")

    @property
    def voltage_v(self) -> float:
        """Phase to neutral for AC, at the plug for DC."""
        return self.voltage or (230.0 if self.power_type == "AC" else 400.0)

    @property
    def phase_count(self) -> int:
        return self.phases if self.power_type == "AC" else 1


class MonitorSettings(BaseSettings):
    """Monitor (EV_CP_M)"""

    read_by: ClassVar[Reader] = "monitor"

    cp_id: str = setting(
        "CP-001",
        "3 to 64 of `A-Z a-z 0-9 _ -`",
        regex=CP_ID_PATTERN,
    )
    location: str = setting(
        "",
        "city or address; needed to register",
        max_length=256,
    )
    metadata: JsonObject = setting(
        {},
        "JSON; the keys are in [registry.md](registry.md)",
    )
    cp_e_host: str = setting(
        "localhost",
        "its engine, as Central reaches it",
        min_length=1,
    )
    cp_e_port: int = setting(
        8001,
        "its engine's port",
        ge=1,
        le=65535,
    )
    central_host: str = setting(
        "localhost",
        "where EV_Central is; may be a whole URL, and then `CP_MONITOR_CENTRAL_PORT` is not used",
    )
    central_port: int = setting(
        8000,
        "EV_Central's port",
        ge=1,
        le=65535,
    )
    health_interval: float | None = setting(
        None,
        "how often it looks at its engine, and tells Central",
        unit="s",
        default_is="what Central asks for",
        gt=0,
        le=3600,
    )
    log_level: str = setting(
        "INFO",
        "as `CPO_LOG_LEVEL`",
    )
    log_format: Literal["text", "json"] = setting(
        "text",
        "as the servers'",
        env="CPO_LOG_FORMAT",
    )
    registry_url: str = setting(
        "http://localhost:8080",
        "where EV_Registry is",
    )
    registry_enabled: bool = setting(
        True,
        "false: no registration, no token",
    )
    registry_api_key: SecretStr | None = setting(
        None,
        "the same header with any key; the operator's own key belongs on no charge point",
        secret=True,
    )
    enrolment_token: SecretStr | None = setting(
        None,
        "what `cpo charge-points enrol` gave: lets it register the first time",
        secret=True,
    )
    link_key: SecretStr | None = setting(
        None,
        "shared with the engine",
        secret=True,
        default_is="a file in `CP_STATE_DIR`",
    )
    ca_file: Path | None = setting(
        None,
        "a private CA",
    )
    tls_cert_file: Path | None = setting(
        None,
        "the client certificate that it shows to EV_Registry and EV_Central",
    )
    tls_key_file: Path | None = setting(
        None,
        "that certificate's key",
    )
    engine_cert_file: Path | None = setting(
        None,
        "the certificate that its engine shows; needed where the two share no directory",
        default_is="`engine-<cp_id>.crt` in `CP_STATE_DIR`",
    )
    keyring: bool = setting(
        True,
        "keep credentials in the system's keyring where there is one",
    )
    state_dir: Path = setting(
        Path("~/.cpo-charge-point"),
        "credentials, link key, the engine's journal",
        env="CP_STATE_DIR",
    )

    _link_key = validator("link_key", allow_reuse=True)(_check_link_key)
    _key_file = validator("tls_key_file", always=True, allow_reuse=True)(_check_key_file)
    _log_level = validator("log_level", allow_reuse=True)(check_log_level)

    class Config:
        env_prefix = "CP_MONITOR_"

    @validator("metadata")
    def _metadata_size(cls, metadata: JsonObject) -> JsonObject:
        if len(json.dumps(metadata)) > _METADATA_MAX_BYTES:
            raise ValueError("metadata is larger than 64 KiB")
        return metadata

    @validator("registry_enabled", always=True)
    def _location_for_registry(cls, enabled: bool, values: JsonObject) -> bool:
        if enabled and len(values.get("location") or "") < 2:
            raise ValueError(
                "CP_MONITOR_LOCATION (city or address) is needed to register with EV_Registry"
            )
        return enabled

    @property
    def registered_metadata(self) -> JsonObject:
        """What EV_Registry is told; where the engine listens stays inside the house there."""
        return {**self.metadata, "cp_e_host": self.cp_e_host, "cp_e_port": self.cp_e_port}

    @property
    def central_url(self) -> str:
        if "://" in self.central_host:
            return self.central_host.rstrip("/")
        return f"http://{self.central_host}:{self.central_port}"
