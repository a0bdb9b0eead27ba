"""Notices put together: what is watched, and who is told, as the settings say.

Composition only. Without webhooks and mail nobody is told: what is in trouble is followed all the
same, for the operator's lists.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from cpo_app.notice_settings import parse_addresses, parse_smtp_url, parse_webhooks
from cpo_app.notices.certificates import certificate_sources
from cpo_app.notices.webhooks import Webhook
from cpo_app.ocpi.peer_client.peer_answer import PeerUnusable
from cpo_app.ocpi.peer_client.plain_post import PlainPost
from cpo_app.settings import Settings
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.notices import telling
from domain.notices.deliveries import Message
from domain.notices.sources import sources_of
from domain.notices.telling import NotTaken, Target, Telling
from domain.notices.watch import Watch


class Targets:
    """Who is told. Belongs to one event loop; close it with `aclose`."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._db = db
        self._client: PlainPost | None = None
        self._private = settings.CPO_WEBHOOKS_PRIVATE
        self.all: list[Target] = [
            Webhook(
                setting,
                self._post,
                lambda: db.now().timestamp(),
                sender=settings.base_url,
            )
            for setting in parse_webhooks(settings.CPO_WEBHOOKS)
        ]
        self.all += _mail(settings)

    @property
    def ids(self) -> list[str]:
        return [target.id for target in self.all]

    async def tell_test(self) -> Sequence[tuple[str, str | None]]:
        """Tell each of them now that this is a test: its id, and why it did not take it."""
        now = self._db.now()
        message: Message = {
            "event": "test",
            "matter": "test",
            "kind": "test",
            "subject": None,
            "place": None,
            "number": 1,
            "said": "this is a test: notices arrive here",
            "do": "nothing",
            "since": now,
            "at": now,
        }
        id_ = f"test {now.isoformat()}"
        try:
            whys = await asyncio.gather(
                *(telling.attempt(target, f"{id_} {target.id}", message) for target in self.all)
            )
        finally:
            await self.aclose()
        return list(zip(self.ids, whys, strict=True))

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        if self._client is None:
            self._client = PlainPost(allow_private=self._private)
        try:
            return await self._client.post(url, headers, body)
        except PeerUnusable as error:
            # Words of the client that peers are reached with.
            raise NotTaken(error.reason.replace("the peer", "the webhook")) from None


class Notifying:
    """The watch and one teller for each target, in the background of a server."""

    def __init__(self, store: DbInterface, settings: Settings) -> None:
        db = store.db
        self._targets = Targets(settings, db)
        sources = [*sources_of(db), *certificate_sources(settings, db.now)]
        self._watch = Watch(store, sources, self._targets.ids)
        self._tellers = [Telling(store, target) for target in self._targets.all]

    def start(self) -> None:
        self._watch.rounds.start()
        for teller in self._tellers:
            teller.rounds.start()

    async def stop(self) -> None:
        await self._watch.stop()
        for teller in self._tellers:
            await teller.rounds.stop()
        await self._targets.aclose()


def _mail(settings: Settings) -> list[Target]:
    server = parse_smtp_url(settings.CPO_SMTP_URL)
    if server is None:
        return []
    from cpo_app.notices.mail import Mail  # loaded where mail is sent

    return [
        Mail(
            server,
            settings.CPO_MAIL_FROM,
            parse_addresses(settings.CPO_MAIL_TO),
            name=settings.PROJECT_NAME,
            pages=settings.base_url,
        )
    ]
