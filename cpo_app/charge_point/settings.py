"""Settings of the charge point, read from CP_MONITOR_*, CP_ENGINE_* and CP_STATE_DIR.

Must never be printed with its secrets: those are SecretStr.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseSettings, Field, SecretStr, validator

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
    """EV_CP_E. Unset link key: a key file in the state directory, shared with the monitor."""

    cp_id: str = Field(default="CP-001", regex=CP_ID_PATTERN)
    # Central, on another host as a rule, must reach the engine.
    host: str = "0.0.0.0"  # noqa: S104
    health_port: int = Field(default=8001, ge=0, le=65535)
    telemetry_interval: float = Field(default=1.0, gt=0, le=3600)
    kw_rate: float = Field(default=22.0, gt=0, le=1000)
    log_level: str = "INFO"
    log_format: Literal["text", "json"] = Field(default="text", env="CPO_LOG_FORMAT")
    link_key: SecretStr | None = None
    ca_file: Path | None = None
    # The client certificate that is shown to EV_Registry and EV_Central.
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    # https with a certificate of its own. Unset: unless it listens to this host alone.
    tls: bool | None = None
    state_dir: Path = Field(default=Path("~/.cpo-charge-point"), env="CP_STATE_DIR")

    connector_id: str = Field(default="1", min_length=1, max_length=36)
    power_type: Literal["AC", "DC"] = "AC"
    phases: int = Field(default=3, ge=1, le=3)
    sign_meter_values: bool = False
    voltage: float | None = Field(default=None, gt=0, le=1500)

    simulation: bool = False
    auto_plug: bool = True
    auto_unplug_after: float = Field(default=3.0, ge=0)
    plug_timeout: float = Field(default=60.0, gt=0)
    stop_when_full: bool = False
    speed: float = Field(default=1.0, gt=0, le=100_000)
    car_kw: float | None = Field(default=None, gt=0)
    car_battery_kwh: float = Field(default=60.0, gt=0)
    car_soc: float = Field(default=20.0, ge=0, le=100)

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
    """EV_CP_M. `central_host` may hold a whole URL (https); then `central_port` is not used."""

    cp_id: str = Field(default="CP-001", regex=CP_ID_PATTERN)
    location: str = Field(default="", max_length=256)
    metadata: JsonObject = Field(default_factory=dict)
    cp_e_host: str = Field(default="localhost", min_length=1)
    cp_e_port: int = Field(default=8001, ge=1, le=65535)
    central_host: str = "localhost"
    central_port: int = Field(default=8000, ge=1, le=65535)
    # Unset: what Central asks for at registration.
    health_interval: float | None = Field(default=None, gt=0, le=3600)
    log_level: str = "INFO"
    log_format: Literal["text", "json"] = Field(default="text", env="CPO_LOG_FORMAT")
    registry_url: str = "http://localhost:8080"
    registry_enabled: bool = True
    registry_api_key: SecretStr | None = None
    # What `cpo charge-points enrol` gave; used where no credentials are kept yet.
    enrolment_token: SecretStr | None = None
    link_key: SecretStr | None = None
    ca_file: Path | None = None
    # The client certificate that is shown to EV_Registry and EV_Central.
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    # The engine's certificate, where the two share no state directory.
    engine_cert_file: Path | None = None
    keyring: bool = True
    state_dir: Path = Field(default=Path("~/.cpo-charge-point"), env="CP_STATE_DIR")

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
