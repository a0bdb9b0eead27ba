"""A webhook as a target: JSON, signed as the Standard Webhooks specification has it.

    webhook-id          the same whenever this message is sent: drop what you have had
    webhook-timestamp   seconds since 1970, of this attempt: refuse what is old
    webhook-signature   "v1," and the Base64 of HMAC-SHA256(secret, id.timestamp.body)

https://github.com/standard-webhooks/standard-webhooks; libraries that verify it are there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping

import orjson

from cpo_app.notice_settings import WebhookSetting
from domain.notices.deliveries import Message
from domain.notices.telling import NotTaken

Post = Callable[[str, Mapping[str, str], bytes], Awaitable[int]]
"""URL, headers, body: the HTTP status of the answer. Raises NotTaken."""
_PREFIX = "whsec_"


class Webhook:
    def __init__(
        self, setting: WebhookSetting, post: Post, now: Callable[[], float], *, sender: str
    ) -> None:
        """`now`: seconds since 1970. `sender`: which installation speaks."""
        self._setting = setting
        self._post = post
        self._now = now
        self._sender = sender
        self.id = setting.id

    async def tell(self, message_id_: str, message: Message) -> None:
        body = body_of(message, self._sender)
        id_, timestamp = message_id(message_id_), str(int(self._now()))
        headers = {
            "content-type": "application/json",
            "user-agent": "ocpi-cpo-backend",
            "webhook-id": id_,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(self._setting.secret, id_, timestamp, body),
        }
        status = await self._post(self._setting.url, headers, body)
        if not 200 <= status <= 299:
            raise NotTaken(f"it answered HTTP {status}")


def message_id(delivery_id: str) -> str:
    """Ids of deliveries are long, and name what they are about."""
    return "msg_" + hashlib.sha256(delivery_id.encode()).hexdigest()[:32]


def signature(secret: str, id_: str, timestamp: str, body: bytes) -> str:
    signed = f"{id_}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def body_of(message: Message, sender: str) -> bytes:
    """What is posted; docs/operations.md says what each field is."""
    data: dict[str, object] = {"sender": sender, **message}
    event, at = data.pop("event"), data.pop("at")
    return orjson.dumps(
        {"type": f"notice.{event}", "timestamp": at, "data": data},
        option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC,
    )


def _key(secret: str) -> bytes:
    """The bytes behind whsec_ in Base64, as the specification writes keys; else the text's own."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except ValueError:
            pass
    return secret.encode()
