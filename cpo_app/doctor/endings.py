"""What comes to its end before long: certificates, API keys, the room on the database's disk; as
the notices tell it, for those who have nobody told.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

from cpo_app.doctor.findings import Finding, fail, ok, warn
from cpo_app.settings import Settings
from db_interface.database import STORE_ERRORS, Database
from domain.notices.certificates import RENEW_WITHIN
from domain.notices.sources import sources_of
from domain.notices.troubles import WORDS, Kind

TIMEOUT_S = 5.0
_LOOKED_AT = {
    Kind.CERTIFICATE_OF_OTHERS: ("certificates", "none of peers and charge points ends soon"),
    Kind.API_KEY_ENDS: ("API keys", "none ends soon"),
    Kind.DISK_LOW: ("disk of the store", "has room, or does not tell"),
}


async def check_endings(db: Database) -> AsyncIterator[Finding]:
    """Out of the store."""
    for source in sources_of(db):
        for kind in source.kinds & _LOOKED_AT.keys():
            check, well = _LOOKED_AT[kind]
            try:
                troubles = await source.look()
            except STORE_ERRORS as error:
                do = "look at the lines above that are about the store"
                yield warn(check, f"cannot be looked at ({type(error).__name__})", do)
                continue
            for trouble in troubles:
                yield warn(check, trouble.said, trouble.do or WORDS[kind].do)
            if not troubles:
                yield ok(check, well)


async def check_public_certificate(settings: Settings, now: datetime) -> list[Finding]:
    """Of the server that peers are sent to, most often a proxy; none where they come by http."""
    check, url = "public certificate", urlsplit(settings.base_url)
    if url.scheme != "https" or url.hostname is None:
        return []
    do = f"renew it where {url.hostname} ends TLS"
    try:
        ends = await asyncio.wait_for(_end_of(url.hostname, url.port or 443), TIMEOUT_S)
    except ssl.SSLCertVerificationError as error:
        return [fail(check, f"is refused by whoever checks it: {error.verify_message}", do)]
    except (OSError, asyncio.TimeoutError):
        return []  # that it is not reached, the versions URL's line says
    said = f"ends on {ends:%Y-%m-%d}"
    if ends - now < RENEW_WITHIN:
        return [warn(check, said, do)]
    return [ok(check, f"is good until {ends:%Y-%m-%d}")]


async def _end_of(host: str, port: int) -> datetime:
    _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert()
    finally:
        writer.close()
    seconds = ssl.cert_time_to_seconds(shown["notAfter"])
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
