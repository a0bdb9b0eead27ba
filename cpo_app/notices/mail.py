"""Mail as a target: one message to all recipients, by the operator's own SMTP server.

What belongs to one matter is one thread. A password is never sent in the clear but to this host.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib

from cpo_app.notice_settings import MAIL, SmtpServer
from domain.notices.deliveries import Message
from domain.notices.telling import NotTaken

logger = logging.getLogger("cpo.notices")

TIMEOUT_S = 8.0
MAX_SUBJECT = 150
_THIS_HOST = ("127.0.0.1", "::1", "localhost")


class Mail:
    id = MAIL

    def __init__(
        self, server: SmtpServer, sender: str, recipients: Sequence[str], *, name: str, pages: str
    ) -> None:
        """`name`: what stands before each subject. `pages`: where the operator's pages are."""
        self._server = server
        self._sender = sender
        self._recipients = list(recipients)
        self._name = name
        self._pages = pages

    async def tell(self, message_id: str, message: Message) -> None:
        try:
            await self._send(self._mail(message_id, message))
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = ", ".join(str(one.code) for one in error.recipients)
            raise NotTaken(f"the mail server takes no recipient: {codes}") from None
        except aiosmtplib.SMTPResponseException as error:
            raise NotTaken(f"the mail server answered {error.code}") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotTaken(f"the mail server is not reached: {type(error).__name__}") from None

    async def _send(self, mail: EmailMessage) -> None:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=TIMEOUT_S,
            use_tls=server.tls,
            start_tls=None,  # where the server offers it
        )
        async with client:
            if server.user is not None:
                encrypted = client.get_transport_info("sslcontext") is not None
                if not encrypted and server.host not in _THIS_HOST:
                    raise NotTaken("the mail server offers no TLS: no password is sent to it")
                await client.login(server.user, server.password or "")
            refused, _ = await client.send_message(mail)
        if refused:
            # The others have it: all of them again would be twice for those.
            logger.warning("mail: the server does not take %s", ", ".join(sorted(refused)))

    def _mail(self, message_id: str, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._recipients)
        mail["Subject"] = f"[{_line(self._name)}] {_line(message['said'])}"[:MAX_SUBJECT]
        mail["Date"] = format_datetime(message["at"])
        domain = self._sender.rpartition("@")[2]
        mail["Message-ID"] = _id(message_id, domain)
        thread = _id(f"{message['matter']} {message['since'].isoformat()}", domain)
        mail["References"] = mail["In-Reply-To"] = thread
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(_text(message, self._pages))
        return mail


def _text(message: Message, pages: str) -> str:
    lines = [_line(message["said"]) + ".", "", f"since  {_time(message['since'])}"]
    if message["event"] == "over":
        lines.append(f"over   {_time(message['at'])}")
    elif message["do"]:
        lines.append(f"do     {_line(message['do'])}")
    return "\n".join([*lines, "", pages, ""])


def _line(text: str) -> str:
    """Words of peers and charge points, too: on one line, without control codes."""
    return "".join(char if char.isprintable() else " " for char in text)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _id(text: str, domain: str) -> str:
    return f"<{hashlib.sha256(text.encode()).hexdigest()[:32]}@{domain}>"
