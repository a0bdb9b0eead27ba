"""A server's TLS by its settings: certificate, key, and whose client certificates are taken.

What cannot be used is said in one line before anything starts.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from cpo_app.settings import Settings, SettingsError
from db_interface.json_data import JsonObject


@dataclass(frozen=True)
class ServerTls:
    """The settings `PREFIX_TLS_*` of one server."""

    prefix: str
    enabled: bool
    certificate: str
    key: str
    client_ca: str
    own_ca: str = ""
    """of our own, whose client certificates are taken besides"""

    @classmethod
    def of_registry(cls, settings: Settings) -> ServerTls:
        return cls(
            "REGISTRY",
            settings.REGISTRY_TLS_ENABLED,
            settings.REGISTRY_TLS_CERT_FILE,
            settings.REGISTRY_TLS_KEY_FILE,
            settings.REGISTRY_TLS_CLIENT_CA_FILE,
        )

    @classmethod
    def of_central(cls, settings: Settings) -> ServerTls:
        return cls(
            "CENTRAL",
            settings.CENTRAL_TLS_ENABLED,
            settings.CENTRAL_TLS_CERT_FILE,
            settings.CENTRAL_TLS_KEY_FILE,
            settings.CENTRAL_TLS_CLIENT_CA_FILE,
        )

    @classmethod
    def of_ocpp(cls, settings: Settings) -> ServerTls:
        return cls(
            "CPO_OCPP",
            settings.CPO_OCPP_TLS_PORT > 0,
            settings.CPO_OCPP_TLS_CERT_FILE,
            settings.CPO_OCPP_TLS_KEY_FILE,
            settings.CPO_OCPP_TLS_CLIENT_CA_FILE,
            settings.CPO_OCPP_CA_CERT_FILE,
        )

    def options(self) -> JsonObject:
        """For uvicorn.Config. Raises SettingsError."""
        name = f"{self.prefix}_TLS"
        if not self.enabled:
            if self.client_ca:
                raise SettingsError(f"{name}_CLIENT_CA_FILE is set, but {name}_ENABLED is not")
            return {}
        self.context()
        options: JsonObject = {"ssl_certfile": self.certificate, "ssl_keyfile": self.key}
        if not self.client_ca:
            return options
        # Optional: the operator and the health checks come without one. Who must show one is
        # judged request by request.
        return {**options, "ssl_ca_certs": self.client_ca, "ssl_cert_reqs": ssl.CERT_OPTIONAL}

    def context(self) -> ssl.SSLContext:
        """Its certificate and key, and client certificates asked for where there is a CA of theirs.
        Raises SettingsError."""
        name = f"{self.prefix}_TLS"
        for kind, value in (("CERT", self.certificate), ("KEY", self.key)):
            if not value:
                switch = "PORT" if self.prefix == "CPO_OCPP" else "ENABLED"
                raise SettingsError(f"{name}_{kind}_FILE is not set, but {name}_{switch} is")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            # An empty password, so that a sealed key is an error and not a question on a terminal.
            context.load_cert_chain(self.certificate, self.key, password="")
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"{name}_CERT_FILE / {name}_KEY_FILE cannot be used: {error.strerror or error}"
            ) from None
        for setting, file in (
            (f"{name}_CLIENT_CA_FILE", self.client_ca),
            (f"{self.prefix}_CA_CERT_FILE", self.own_ca),
        ):
            if not file:
                continue
            try:
                context.load_verify_locations(file)
            except (OSError, ssl.SSLError) as error:
                said = error.strerror or error
                raise SettingsError(f"{setting} cannot be used: {said}") from None
            context.verify_mode = ssl.CERT_OPTIONAL
        return context
