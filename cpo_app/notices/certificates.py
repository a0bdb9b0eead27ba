"""Certificates that this host serves with, and that end soon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from cpo_app.host_facts import certificate_end
from cpo_app.settings import Settings
from domain.notices.certificates import RENEW_WITHIN
from domain.notices.troubles import Kind, Source, Trouble


def certificate_sources(settings: Settings, now: Callable[[], datetime]) -> list[Source]:
    """None where no certificate is set: another process may know of some."""
    files = {
        name: path
        for name, enabled, path in (
            (
                "REGISTRY_TLS_CERT_FILE",
                settings.REGISTRY_TLS_ENABLED,
                settings.REGISTRY_TLS_CERT_FILE,
            ),
            (
                "CPO_OCPP_TLS_CERT_FILE",
                settings.CPO_OCPP_TLS_PORT > 0,
                settings.CPO_OCPP_TLS_CERT_FILE,
            ),
            ("CENTRAL_TLS_CERT_FILE", settings.CENTRAL_TLS_ENABLED, settings.CENTRAL_TLS_CERT_FILE),
        )
        if enabled and path
    }

    async def look() -> Sequence[Trouble]:
        ends = {name: certificate_end(path) for name, path in files.items()}
        return [
            Trouble(
                Kind.CERTIFICATE_ENDS,
                name,
                f"the certificate of {name} {'ended' if end < now() else 'ends'} on {end:%Y-%m-%d}",
            )
            for name, end in ends.items()
            if end - now() < RENEW_WITHIN
        ]

    return [Source("certificates", frozenset({Kind.CERTIFICATE_ENDS}), look)] if files else []
